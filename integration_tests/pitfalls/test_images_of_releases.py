"""The pitfall of images that expire while they run, with the whole pipeline."""

import json
from typing import Any

import pytest

from harness.cloud import Cloud
from harness.stacks import CREATED, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.pitfalls.pipelines import Outcome, Pipeline
from integration_tests.pitfalls.whole_pipeline import WholePipeline
from integration_tests.support.images import push_image
from operations.waiting import NotYetError, wait_for

pytestmark = pytest.mark.slow

KEPT_IMAGES = 10


def test_an_image_that_runs_expires_without_a_rule_of_its_own(cloud: Cloud) -> None:
    """pitfall F13: eleven builds that released nothing; with one rule for all images, no task can start."""
    with temporary_stack(cloud, synthesized(cloud).resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        whole = WholePipeline(stack, Pipeline(cloud, stack.physical_name("pipeline-the-suffix")))
        assert whole.pipeline.outcome("Deploy") == Outcome("Succeeded")
        images = {"repositoryName": stack.physical_name("images-the-suffix")}
        for number in range(KEPT_IMAGES + 1):
            push_image(cloud, images["repositoryName"], f"commit-failed-{number}")
        assert replaced_task(whole)["lastStatus"] == "RUNNING"

        ecr = cloud.client("ecr")
        rules = json.loads(ecr.get_lifecycle_policy(**images)["lifecyclePolicyText"])["rules"]
        (last_ten,) = [one for one in rules if one["selection"]["countNumber"] == KEPT_IMAGES]
        ecr.put_lifecycle_policy(**images, lifecyclePolicyText=json.dumps({"rules": [last_ten]}))
        stopped = replaced_task(whole)
        assert stopped["stoppedReason"].startswith("CannotPullContainerError")
        assert "not found" in stopped["stoppedReason"]


def replaced_task(whole: WholePipeline) -> dict[str, Any]:
    """Stop a task of the service; return the task in its place once it runs, or could not start."""
    ecs, cluster = whole.stack.cloud.client("ecs"), whole.physical_name("cluster-the-suffix")
    service = {"cluster": cluster, "serviceName": whole.physical_name("service-the-suffix")}

    def tasks() -> dict[str, dict[str, Any]]:
        names = [
            name
            for status in ("RUNNING", "STOPPED")
            for name in ecs.list_tasks(**service, desiredStatus=status)["taskArns"]
        ]
        return {one["taskArn"]: one for one in ecs.describe_tasks(cluster=cluster, tasks=names)["tasks"]}

    before = tasks()
    running = sorted(name for name, task in before.items() if task["desiredStatus"] == "RUNNING")
    ecs.stop_task(cluster=cluster, task=running[0], reason="a test replaces it")

    def look() -> dict[str, Any]:
        new = [task for name, task in tasks().items() if name not in before]
        for task in new:
            if task["lastStatus"] in ("RUNNING", "STOPPED"):
                return task
        raise NotYetError(str([task["lastStatus"] for task in new]))

    return wait_for("the task in its place", look, deadline=120, interval=0.2)
