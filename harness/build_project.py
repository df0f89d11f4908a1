"""Builds with a synthesized CodeBuild project, without a pipeline."""

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud import Cloud
from harness.stacks import Stack, zipped
from operations.waiting import NotYetError, wait_for

COMMIT = "0" * 40
# Where CodePipeline would have the build leave its artifact, and where its role may.
OUTPUT = "pipeline/BuildOutpu"
Buildspec = dict[str, Any]


@dataclass(frozen=True)
class BuildResult:
    """The result of a build: the status of each phase, the context of each, its reports, and the log."""

    status: str
    phases: Mapping[str, str]
    contexts: Mapping[str, str]
    reports: list[str]
    log: str = field(repr=False)


class BuildProject:
    """A synthesized CodeBuild project in `stack`: of the tests, or of the image."""

    def __init__(self, stack: Stack, name: str = "build") -> None:
        self.stack = stack
        self.name = f"{name}-{stack.suffix}"
        self.has_artifact = name == "build"
        self.cloud: Cloud = stack.cloud
        self.bucket = f"artifacts-{stack.suffix}-{stack.cloud.account.id}-us-east-1"

    @property
    def buildspec(self) -> str:
        """The project's own buildspec, as YAML."""
        found = self.cloud.client("codebuild").batch_get_projects(names=[self.name])["projects"][0]
        return str(found["source"]["buildspec"])

    def build(
        self,
        buildspec: Buildspec | str = "",
        *,
        files: Mapping[str, str] | None = None,
        report: Callable[[str], None] = lambda _phase: None,
        **overrides: Any,
    ) -> BuildResult:
        """Build the seed, with another buildspec or other `files`; `overrides` are StartBuild's.

        `report` is called with the name of each phase that is seen running.
        """
        s3, codebuild = self.cloud.client("s3"), self.cloud.client("codebuild")
        # As the CDK writes an inline buildspec: each JSON text is one of YAML.
        text = buildspec if isinstance(buildspec, str) else json.dumps(buildspec, indent=2)
        seed = self.stack.app.assembly.asset("RepositorySeed")
        name = secrets.token_hex(4)
        key = f"pipeline/SourceOutp/{name}"
        body = zipped(seed, **(files or {}))
        s3.put_object(Bucket=self.bucket, Key=key, Body=body, ServerSideEncryption="aws:kms")
        output = {"type": "S3", "location": self.bucket, "path": OUTPUT, "name": name, "packaging": "ZIP"}
        started = codebuild.start_build(
            projectName=self.name,
            sourceTypeOverride="S3",
            sourceLocationOverride=f"{self.bucket}/{key}",
            sourceVersion=COMMIT,
            artifactsOverride=output if self.has_artifact else {"type": "NO_ARTIFACTS"},
            **({"buildspecOverride": text} if text else {}),
            **overrides,
        )
        return self.wait_for(started["build"]["id"], report)

    def wait_for(self, build: str, report: Callable[[str], None] = lambda _phase: None) -> BuildResult:
        """Wait for the end of a build; return its result."""
        seen: list[str] = []

        def look() -> dict[str, Any]:
            found: dict[str, Any] = self.cloud.client("codebuild").batch_get_builds(ids=[build])["builds"][0]
            phase = str(found.get("currentPhase"))
            if phase not in seen:
                seen.append(phase)
                report(phase)
            if not found["buildComplete"]:
                raise NotYetError(phase)
            return found

        found = wait_for(f"build {build}", look, deadline=300, interval=0.2)
        phases = {one["phaseType"]: one.get("phaseStatus", "") for one in found["phases"]}
        contexts = {
            one["phaseType"]: f"{context.get('statusCode')}: {context.get('message')}"
            for one in found["phases"]
            for context in one.get("contexts", [])
        }
        log = self._log(found["logs"])
        return BuildResult(found["buildStatus"], phases, contexts, found.get("reportArns", []), log)

    def _log(self, logs: Mapping[str, Any]) -> str:
        place = {"logGroupName": logs["groupName"], "logStreamNames": [logs["streamName"]]}
        lines = self.cloud.account.pages("logs", "filter_log_events", "events", **place)
        return "".join(line["message"] for line in lines)
