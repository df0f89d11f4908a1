"""Builds of the synthesized project and its source, with a small change to one of them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.cloud import PROJECT, Cloud
from integration_tests.pitfalls.stacks import Stack, zipped
from integration_tests.pitfalls.synthesized_templates import ARTIFACTS, Resources, synthesized
from operations.waiting import NotYetError, wait_for

COMMIT = "0" * 40
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
    """The synthesized CodeBuild project in `stack`."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.cloud: Cloud = stack.cloud
        self.bucket = stack.physical_name(f"artifacts-the-suffix-{stack.cloud.account.id}-us-east-1")

    def build(self, buildspec: Buildspec | str, **overrides: Any) -> BuildResult:
        """Build the seed with another buildspec; `overrides` are StartBuild's."""
        s3, codebuild = self.cloud.client("s3"), self.cloud.client("codebuild")
        text = buildspec if isinstance(buildspec, str) else to_yaml(buildspec)
        seed = synthesized(self.cloud).assembly.asset("RepositorySeed")
        key = f"source/{secrets.token_hex(4)}"
        body = zipped(seed, **{"buildspec.yml": text})
        s3.put_object(Bucket=self.bucket, Key=key, Body=body, ServerSideEncryption="aws:kms")
        output = {"type": "S3", "location": self.bucket, "path": "output", "name": key, "packaging": "ZIP"}
        started = codebuild.start_build(
            projectName=self.stack.physical_name("build-the-suffix"),
            sourceTypeOverride="S3",
            sourceLocationOverride=f"{self.bucket}/{key}",
            sourceVersion=COMMIT,
            artifactsOverride=output,
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
    return synthesized(cloud).part("PipelineBuildProject", *ARTIFACTS)


def default_buildspec() -> Buildspec:
    """Return the buildspec of the project."""
    found: Buildspec = yaml.safe_load((PROJECT / "buildspec.yml").read_text())
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
