"""Builds and tries a service as its pipeline will, on a local_aws of its own and without a pipeline."""

import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from functools import partial

from harness.build_project import BuildProject, BuildResult
from harness.catalogue import SAMPLE, check_catalogue
from harness.cloud import Cloud, HarnessError
from harness.folders import remove_finished_runs, run_folder
from harness.local import is_running_in, local_aws, local_cloud
from harness.progress import Progress
from harness.progress_lines import progress_lines
from harness.scenario import ScenarioError
from harness.signals import termination_as_keyboard_interrupt
from harness.stacks import CREATED, Stack
from harness.synthesized_app import SynthesizedApp, build_resources, synthesized
from operations import stored_variables
from operations.errors import OperationsError
from operations.why.log_lines import failed_command, significant

FOLDER = "check-service"
ENVIRONMENT = "dev"
LINES = 30
# The steps of a build that no later one needs.
GATES = ("Compare the pins with the advisories", "Scan the code")


def check_service(name: str) -> int:
    """Audit, scan, test and build a service of the catalogue, and ask what a release will be asked.

    Raises `HarnessError` for a name that is not in the catalogue, `ScenarioError` for what is missing.
    """
    check_catalogue(name)
    suffix = ENVIRONMENT if name == SAMPLE else f"{name}-{ENVIRONMENT}"
    remove_finished_runs(FOLDER, is_running_in)
    folder = run_folder(FOLDER)
    try:
        with termination_as_keyboard_interrupt(), progress_lines() as progress:
            progress.step("starting local_aws")
            with local_aws(folder) as server:
                build_and_try(local_cloud(server, folder), suffix, progress)
    except (ScenarioError, OperationsError):
        print(f"check-service: the files of this run are in {folder}", file=sys.stderr)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{name} can be released: make up SUFFIX={suffix}")
    return 0


def build_and_try(cloud: Cloud, suffix: str, progress: Progress) -> None:
    """Run both builds of the service with this suffix; raise `ScenarioError` with everything that fails."""
    progress.step("synthesizing")
    with progress.waiting(lambda: "synthesizing"):
        app = synthesized(cloud, suffix=suffix)
    progress.step("creating the two CodeBuild projects")
    stack = Stack(cloud, suffix, app)
    with progress.waiting(lambda: "creating the projects"):
        created = stack.create({"Resources": build_resources(app)})
    if created != CREATED:
        raise HarnessError(f"the projects were not created: {stack.failures()}")
    set_stand_ins(cloud, suffix)
    asked = {"name": "SMOKE_PATHS", "value": smoke_paths(app)}
    failed: list[tuple[str, BuildResult]] = []
    for action, project, variables in (("Test", "test", []), ("Build", "build", [asked])):
        for build in builds(BuildProject(stack, project), progress, action, variables):
            if build.status != "SUCCEEDED":
                failed.append((action, build))
    if failed:
        raise ScenarioError(summary(failed))
    print(*tried(build), sep="\n")


def set_stand_ins(cloud: Cloud, suffix: str) -> None:
    """Give every declared secret and parameter a value, without which Build builds no image."""
    for one in stored_variables.read(suffix, cloud.account):
        cloud.client("ssm").put_parameter(Name=one.parameter, Value="stand-in", Type=one.type)


def builds(
    project: BuildProject, progress: Progress, action: str, variables: list[dict[str, str]]
) -> Iterator[BuildResult]:
    """Yield a build, and after a failed gate another build without it, so that each gate is tried."""
    buildspec = project.buildspec
    while buildspec:
        progress.step(f"{action}: starting")
        with progress.waiting(lambda: f"{action}: building"):
            build = project.build(
                buildspec, report=partial(report, progress, action), environmentVariablesOverride=variables
            )
        yield build
        failed = failed_command(build.log.splitlines())
        buildspec = without(buildspec, failed.step if failed else "")


def without(buildspec: str, gate: str) -> str:
    """Return a buildspec without one of `GATES`, or nothing: what comes after another step needs it."""
    if gate not in GATES:
        return ""
    step = rf"(?m)^( *)- \|\n\1  # {re.escape(gate)}\n(?:\1  .*\n)*"
    return re.sub(step, r"\1- 'true'\n", buildspec)


def report(progress: Progress, action: str, phase: str) -> None:
    """Report a phase of an action's build."""
    progress.step(f"{action}: {phase}")


def smoke_paths(app: SynthesizedApp) -> str:
    """Return what the test-traffic hook of the app requests, as JSON."""
    (found,) = (
        variables["SMOKE_PATHS"]
        for resource in app.resources.values()
        if resource["Type"] == "AWS::Lambda::Function"
        and "SMOKE_PATHS" in (variables := resource["Properties"].get("Environment", {}).get("Variables", {}))
    )
    return str(found)


def summary(failed: Sequence[tuple[str, BuildResult]]) -> str:
    """Return what the failed commands printed last, and in the last lines each finding and what to do."""
    findings = [f"{action}: {finding(build)}" for action, build in failed]
    return "\n".join([*(output(build) for _, build in failed), "What is missing:", *findings])


def output(build: BuildResult) -> str:
    """Return what the failed command of a build printed last."""
    failed = failed_command(build.log.splitlines())
    lines = failed.output if failed else build.log.splitlines()
    return "\n".join([*([failed.step] if failed else []), *lines[-LINES:]])


def finding(build: BuildResult) -> str:
    """Return in one line which command of a build failed, why, and what to do."""
    failed = failed_command(build.log.splitlines())
    found = significant(failed.output) if failed else None
    if failed is None or found is None:
        return f"{failed.step if failed else build.status}: see above"
    return f"{failed.step}: {found.text}: {found.remedy}"


def tried(build: BuildResult) -> list[str]:
    """Return the lines of a build that name what its image answered."""
    return [line for line in build.log.splitlines() if " responds with " in line]
