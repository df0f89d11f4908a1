"""One environment on local_aws: deploy, a release under load, destroy."""

import time
from collections.abc import Iterator

from benchmarks.environments import new_scenario, timed
from benchmarks.figures import Figure
from harness.cloud import Cloud
from harness.folders import remove_finished_runs, run_folder
from harness.local import is_running_in, local_aws, local_cloud, peak_memory
from harness.scenario import Scenario

# Requests a second through the shift.
RATE = 500
# The waiting times in the templates: the canary of CodeDeploy, then the termination of the old tasks.
CANARY_MINUTES = 5
TERMINATION_MINUTES = 5


def release() -> Iterator[Figure]:
    """Measure each step, and the memory that local_aws needed."""
    remove_finished_runs("bench", is_running_in)
    folder = run_folder("bench")
    began = time.monotonic()
    with local_aws(folder) as running:
        yield Figure("start of local_aws", time.monotonic() - began, "s")
        cloud = local_cloud(running, folder)
        scenario = new_scenario(cloud)
        try:
            yield from _scenario(scenario, cloud)
        finally:
            destroying = timed(scenario.destroy)
        yield Figure("destroy, and search for leftovers", destroying, "s")
        # VmHWM, without its child processes.
        yield Figure("memory of local_aws at its peak", peak_memory(running) / 1024, "MiB")


def _scenario(scenario: Scenario, cloud: Cloud) -> Iterator[Figure]:
    yield Figure("cdk bootstrap and deploy", timed(scenario.deploy), "s")
    scenario.wait_for_seed()
    developer = scenario.developer()
    with scenario.probing(RATE) as prober:
        commit = developer.greet("Hello from the bench")
        began, old = prober.seconds, scenario.progress.old
        scenario.push(developer, commit)
        over = prober.seconds - began
        figures = scenario.settle(prober, commit)
    shifted = prober.last_of(old) - began
    canary = 60 * cloud.time_scale * CANARY_MINUTES
    both = canary + 60 * cloud.time_scale * TERMINATION_MINUTES
    yield Figure("time scale of AWS's waiting times", cloud.time_scale, "times")
    yield Figure("push to all traffic", shifted, "s")
    yield Figure("push to all traffic, without the canary", shifted - canary, "s")
    yield Figure("push to the end of its deployment", over, "s")
    yield Figure("push to the end of its deployment, without its waits", over - both, "s")
    for build in scenario.recorder.evidence.releases[-1].builds:
        yield Figure(f"build of the action {build.action}", build.seconds, "s")
    yield Figure("requests during the deployment", figures.rate, "1/s")
    yield Figure("failed requests during the deployment", figures.failures, "requests")
    yield Figure("p50 during the deployment", figures.p50, "ms")
    yield Figure("p95 during the deployment", figures.p95, "ms")
    yield Figure("image in the registry, without its base", _image_bytes(scenario) / 1024**2, "MiB")


def _image_bytes(scenario: Scenario) -> int:
    ecr = scenario.cloud.client("ecr")
    images = ecr.describe_images(repositoryName=scenario.outputs.image_repository_name)["imageDetails"]
    return int(max(images, key=lambda image: image["imagePushedAt"])["imageSizeInBytes"])
