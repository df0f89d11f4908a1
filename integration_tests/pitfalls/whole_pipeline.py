"""The whole pipeline, for the pitfalls of its Deploy stage: a test retries the stage with a small change."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from harness.stacks import Stack, archive
from integration_tests.pitfalls.pipelines import Outcome, Pipeline
from operations.waiting import NotYetError, wait_for


@dataclass
class WholePipeline:
    """A deployed pipeline. `files` are what its first run released; `run` is one that failed in Deploy."""

    stack: Stack
    pipeline: Pipeline
    files: dict[str, str] = field(default_factory=dict)
    run: str = ""
    times: int = 1

    def physical_name(self, text: str) -> str:
        """Return a synthesized name with this stack's suffix."""
        return self.stack.physical_name(text)

    def artifact(self, run: str) -> dict[str, str]:
        """Return the S3 location of the input artifact of an execution's Deploy action."""
        (deploy, *_) = (one for one in self.pipeline.actions(run) if one["actionName"] == "Deploy")
        place = deploy["input"]["inputArtifacts"][0]["s3location"]
        return {"Bucket": place["bucket"], "Key": place["key"]}

    @property
    def group(self) -> dict[str, str]:
        """The names of the deployment group, as CodeDeploy's API takes them."""
        return {
            "applicationName": self.physical_name("application-the-suffix"),
            "deploymentGroupName": self.physical_name("deployment-group-the-suffix"),
        }

    def deployments(self, *statuses: str) -> list[str]:
        """Return the ids of the group's deployments, newest first."""
        wanted = {"includeOnlyStatuses": list(statuses)} if statuses else {}
        found = self.stack.cloud.client("codedeploy").list_deployments(**self.group, **wanted)
        return [str(one) for one in found["deployments"]]

    def error(self) -> tuple[str, str]:
        """Return the error code and message of the newest failed deployment."""
        codedeploy = self.stack.cloud.client("codedeploy")
        newest = self.deployments("Failed")[0]
        found = codedeploy.get_deployment(deploymentId=newest)["deploymentInfo"]["errorInformation"]
        return found["code"], found["message"]

    def retry(self, files: Mapping[str, str | bytes]) -> Outcome:
        """Replace the artifact of the failed execution, and retry its Deploy stage after any rollback."""

        def look() -> None:
            if active := self.deployments("Created", "Queued", "InProgress", "Ready"):
                raise NotYetError(str(active))

        wait_for("the end of a rollback", look, deadline=120, interval=0.2)
        s3 = self.stack.cloud.client("s3")
        s3.put_object(**self.artifact(self.run), Body=archive(files), ServerSideEncryption="aws:kms")
        self.pipeline.client.retry_stage_execution(
            pipelineName=self.pipeline.name,
            stageName="Deploy",
            pipelineExecutionId=self.run,
            retryMode="FAILED_ACTIONS",
        )
        self.times += 1
        return self.pipeline.outcome("Deploy", self.run, self.times)

    @contextmanager
    def policy(self, role: str, change: Callable[[list[dict[str, Any]]], None]) -> Iterator[None]:
        """Change the statements of a role's policy while the context is open."""
        iam, place = (
            self.stack.cloud.client("iam"),
            {"RoleName": self.physical_name(role), "PolicyName": "policy"},
        )
        before = iam.get_role_policy(**place)["PolicyDocument"]
        after = deepcopy(before)
        change(after["Statement"])
        iam.put_role_policy(**place, PolicyDocument=json.dumps(after))
        try:
            yield
        finally:
            iam.put_role_policy(**place, PolicyDocument=json.dumps(before))
