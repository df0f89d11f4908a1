"""Builds of the synthesized projects and their source, with a small change to one of them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.cloud import Cloud
from integration_tests.pitfalls.stacks import Stack, zipped
from integration_tests.pitfalls.synthesized_templates import ARTIFACTS, Resources, synthesized
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
        self.name = stack.physical_name(f"{name}-the-suffix")
        self.has_artifact = name == "build"
        self.cloud: Cloud = stack.cloud
        self.bucket = stack.physical_name(f"artifacts-the-suffix-{stack.cloud.account.id}-us-east-1")

    def build(
        self, buildspec: Buildspec | str = "", *, files: Mapping[str, str] | None = None, **overrides: Any
    ) -> BuildResult:
        """Build the seed, with another buildspec or other `files`; `overrides` are StartBuild's."""
        s3, codebuild = self.cloud.client("s3"), self.cloud.client("codebuild")
        text = buildspec if isinstance(buildspec, str) else to_yaml(buildspec)
        seed = synthesized(self.cloud).assembly.asset("RepositorySeed")
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
        return self.wait_for(started["build"]["id"])

    def wait_for(self, build: str) -> BuildResult:
        """Wait for the end of a build; return its result."""

        def look() -> dict[str, Any]:
            found: dict[str, Any] = self.cloud.client("codebuild").batch_get_builds(ids=[build])["builds"][0]
            if not found["buildComplete"]:
                raise NotYetError(str(found.get("currentPhase")))
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


def project(cloud: Cloud) -> Resources:
    """Return the synthesized resources that a build needs."""
    return synthesized(cloud).part("PipelineTestProject", "PipelineBuildProject", *ARTIFACTS)


def buildspec_of(cloud: Cloud, project: str) -> Buildspec:
    """Return the buildspec that a synthesized project carries."""
    resources = synthesized(cloud).part(project)
    found: Buildspec = yaml.safe_load(resources[project]["Properties"]["Source"]["BuildSpec"])
    # YAML 1.1 reads 3.10 as 3.1, so the version must be a string.
    found["phases"]["install"]["runtime-versions"]["python"] = "3.9"
    return found


def to_yaml(buildspec: Buildspec) -> str:
    """Return a buildspec as YAML."""
    return str(yaml.safe_dump(buildspec, sort_keys=False))


def only(buildspec: Buildspec, *texts: str) -> Buildspec:
    """Keep the commands that contain one of `texts`: most tests need no unit tests and no image."""
    phases = {
        name: {
            **phase,
            "commands": [one for one in phase["commands"] if any(text in one for text in texts)],
        }
        for name, phase in buildspec["phases"].items()
    }
    kept = {name: phase for name, phase in phases.items() if phase["commands"] or name == "install"}
    return {**buildspec, "phases": kept}
