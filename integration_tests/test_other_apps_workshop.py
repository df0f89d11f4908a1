"""An app in the shape of a public workshop is deployed, releases a push and goes away, unchanged."""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from harness.cloud import PROJECT, Cloud
from harness.developer import Developer
from harness.environment import Environment
from operations.cdk_cli import CDK
from operations.waiting import NotYetError, wait_for

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.slow,
    pytest.mark.local_only("an app for local_aws, whose names are fixed"),
]

APP = Path(__file__).parent / "other_apps" / "workshop"
STACKS = {"image": "ShopImage", "pipeline": "ShopPipeline"}
# A release at ten percent a minute, and a build.
RELEASE_MINUTES = 15


@dataclass
class Workshop:
    """The two stacks of the app; the second takes the outputs of the first from the environment."""

    cloud: Cloud
    folder: Path
    outputs: dict[str, str] = field(default_factory=dict)

    def deploy(self, stack: str, *parameters: str) -> None:
        """Deploy one of the stacks, and add its outputs."""
        file = self.folder / f"{stack}.json"
        given = [word for each in parameters for word in ("--parameters", each)]
        self.cdk(stack, "deploy", "--require-approval", "never", "--outputs-file", str(file), *given)
        self.outputs |= json.loads(file.read_text())[STACKS[stack]]

    def destroy(self, stack: str) -> None:
        """Destroy one of the stacks."""
        self.cdk(stack, "destroy", "--force")

    def cdk(self, stack: str, *arguments: str) -> None:
        """Run the CDK CLI; fail with its output."""
        app = shlex.join([sys.executable, str(APP / "app.py")])
        made = {f"SHOP_{name.upper()}": value for name, value in self.outputs.items()}
        done = subprocess.run(  # noqa: S603 - our own CDK CLI with our own arguments
            [str(CDK), arguments[0], "--app", app, *arguments[1:], "--no-notices"],
            cwd=self.folder,
            env={**self.cloud.environment, **made, "SHOP_STACK": stack, "PYTHONPATH": str(PROJECT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def status(self, stack: str) -> str:
        """Return the status of a stack's last life, "" without one."""
        summaries = self.cloud.account.pages("cloudformation", "list_stacks", "StackSummaries")
        found = [each["StackStatus"] for each in summaries if each["StackName"] == STACKS[stack]]
        return found[0] if found else ""

    def page(self) -> str:
        """Return what the load balancer serves."""
        return requests.get(self.cloud.resolve(self.outputs["Url"]), timeout=10).text.strip()

    def wait_for_release(self, commit: str) -> dict[str, str]:
        """Wait until the pipeline has released the commit; return the statuses of its stages."""

        def look() -> dict[str, str]:
            state = self.cloud.client("codepipeline").get_pipeline_state(name=self.outputs["PipelineName"])
            stages = state["stageStates"]
            revision = stages[0]["actionStates"][0].get("currentRevision", {}).get("revisionId")
            ids = {each.get("latestExecution", {}).get("pipelineExecutionId") for each in stages}
            found = {s["stageName"]: s.get("latestExecution", {}).get("status", "") for s in stages}
            if "Failed" in found.values():
                raise AssertionError(json.dumps(stages, default=str))
            if revision != commit or len(ids) > 1 or {*found.values()} != {"Succeeded"}:
                raise NotYetError(f"{revision}: {found}")
            return found

        return wait_for("the release", look, deadline=self.cloud.minutes(RELEASE_MINUTES))


@pytest.fixture(scope="module")
def workshop(cloud: Cloud) -> Workshop:
    """The app, not deployed yet."""
    Environment(cloud, "workshop").bootstrap()
    folder = cloud.folder / "workshop"
    return Workshop(cloud, folder)


@pytest.mark.destroys
def test_the_app_is_deployed_releases_a_push_and_goes_away(workshop: Workshop) -> None:
    cloud = workshop.cloud
    workshop.deploy("image")
    repository = cloud.client("codecommit").get_repository(repositoryName="shop")["repositoryMetadata"]
    developer = Developer(cloud, workshop.folder / "developer", repository["cloneUrlHttp"])
    shutil.copytree(APP / "source", developer.clone, dirs_exist_ok=True)
    first = developer.commit("Sell one")
    developer.push()

    build = build_from_the_repository(workshop)
    assert build["resolvedSourceVersion"] == first
    assert build["sourceVersion"] == "main"

    workshop.deploy("pipeline", "minutes=1")
    assert workshop.wait_for_release(first) == dict.fromkeys(("Source", "Build", "Deploy"), "Succeeded")
    assert workshop.page() == "one"

    (developer.clone / "page.html").write_text("two\n")
    second = developer.commit("Sell two")
    developer.push()
    workshop.wait_for_release(second)
    assert workshop.page() == "two"

    workshop.destroy("pipeline")
    workshop.destroy("image")
    assert [workshop.status(stack) for stack in STACKS] == ["DELETE_COMPLETE"] * 2


def build_from_the_repository(workshop: Workshop) -> dict[str, str]:
    """Build as the script of the workshop does, with StartBuild; return the build."""
    codebuild = workshop.cloud.client("codebuild")
    identifier = codebuild.start_build(projectName=workshop.outputs["Project"])["build"]["id"]

    def look() -> dict[str, str]:
        build: dict[str, str] = codebuild.batch_get_builds(ids=[identifier])["builds"][0]
        if build["buildStatus"] == "IN_PROGRESS":
            raise NotYetError(build["currentPhase"])
        assert build["buildStatus"] == "SUCCEEDED", json.dumps(build, default=str)
        return build

    return wait_for("the build", look, deadline=workshop.cloud.minutes(RELEASE_MINUTES))
