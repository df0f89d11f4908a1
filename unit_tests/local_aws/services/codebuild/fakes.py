"""CodeBuild with fakes of S3, CloudWatch Logs and Systems Manager, and the project of a pipeline."""

import io
import threading
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.codebuild.service import CodeBuild

ROLE = "arn:aws:iam::123456789012:role/build-dev"
COMMIT = "a" * 40
BUILD = "version: 0.2\nphases:\n  build:\n    commands: ['{}']\n"


def phases(build: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(phase["phaseType"], phase.get("phaseStatus")) for phase in build["phases"]]


def failure(build: dict[str, Any]) -> tuple[str, str, str]:
    phase = next(p for p in build["phases"] if p.get("phaseStatus") not in ("SUCCEEDED", None))
    context = phase["contexts"][0]
    return phase["phaseType"], context["statusCode"], context["message"]


class FakeAws:
    """The services that a build uses; only clients that act as the project's role are allowed."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.objects: dict[str, bytes] = {}
        self.encryption: dict[str, Any] = {}
        self.parameters = {"/docker-hub-dev/username": "anonymous"}
        self.groups = {"/codebuild/build-dev"}
        self.logs: dict[str, str] = defaultdict(str)
        self.codebuild: CodeBuild | None = None
        self.may_create_report_groups = True
        self.may_create_log_groups = False

    def client(self, service: str, role: str | None = None) -> "FakeAws":
        assert role == ROLE, f"{service} is called as {role}"
        return self

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if f"{Bucket}/{Key}" not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": "not there"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[f"{Bucket}/{Key}"])}

    def put_object(self, Bucket: str, Key: str, Body: bytes, **more: Any) -> None:  # noqa: N803
        self.objects[f"{Bucket}/{Key}"] = Body
        self.encryption = more

    def get_parameters(self, Names: list[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        assert WithDecryption
        known = [
            {"Name": n, "Value": self.parameters[n], "ARN": "arn:" + n} for n in Names if n in self.parameters
        ]
        return {"Parameters": known}

    def create_log_stream(self, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        if logGroupName not in self.groups:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException"}}, "CreateLogStream")

    def create_log_group(self, logGroupName: str) -> None:  # noqa: N803
        if not self.may_create_log_groups:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateLogGroup")
        self.groups.add(logGroupName)

    def put_log_events(self, logGroupName: str, logStreamName: str, logEvents: list[dict[str, Any]]) -> None:  # noqa: N803
        self.logs[logStreamName] += "".join(event["message"] for event in logEvents)

    def create_report_group(self, **arguments: Any) -> None:
        assert self.codebuild is not None
        if not self.may_create_report_groups:
            message = "no identity-based policy allows codebuild:CreateReportGroup"
            error = {"Code": "AccessDeniedException", "Message": message}
            raise ClientError({"Error": error}, "CreateReportGroup")
        self.codebuild.call("CreateReportGroup", arguments)


class NoDocker:
    def __init__(self) -> None:
        self.privileged: bool | None = None

    def write_docker(self, directory: Path, *, privileged: bool) -> Path:
        self.privileged = privileged
        return directory / "docker"

    def end_docker(self, directory: Path) -> None:
        """Do nothing: there is no docker."""


class World:
    """CodeBuild with its fakes, and the project of a pipeline."""

    def __init__(self, state: Path) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.locked: list[str] = []
        self.context = Context(state, "http://127.0.0.1:1", Clock(), "test", self.emit)
        self.aws = FakeAws(self.context)
        setattr(self.context, "client", self.aws.client)  # noqa: B010 - a fake in place of a method
        setattr(self.context, "credentials", lambda _: {"AWS_ACCESS_KEY_ID": "temporary"})  # noqa: B010
        self.docker = NoDocker()
        self.codebuild = self.aws.codebuild = CodeBuild(self.context, self.docker)
        variables = [
            {"name": "USERNAME", "value": "/docker-hub-dev/username", "type": "PARAMETER_STORE"},
            {"name": "PLAIN", "value": "of the project"},
        ]
        self.project = {
            "name": "build-dev",
            "source": {"type": "CODEPIPELINE"},
            "artifacts": {"type": "CODEPIPELINE"},
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "privilegedMode": True,
                "environmentVariables": variables,
            },
            "serviceRole": ROLE,
            "encryptionKey": "arn:aws:kms:us-east-1:123456789012:key/k",
            "logsConfig": {"cloudWatchLogs": {"status": "ENABLED", "groupName": "/codebuild/build-dev"}},
        }
        self.codebuild.call("CreateProject", self.project)

    def emit(self, source: str, kind: str, resources: list[str], detail: dict[str, Any]) -> None:
        assert source == "aws.codebuild"
        assert resources == [detail["build-id"]]
        # A target of the event may call the API, from a thread of its own.
        caller = threading.Thread(target=self.codebuild.call, args=("ListBuilds", {}))
        caller.start()
        caller.join(2)
        if caller.is_alive():
            self.locked.append(kind)
        self.events.append((kind, detail))

    def start(self, buildspec: str, **more: Any) -> str:
        target = io.BytesIO()
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("buildspec.yml", buildspec)
            archive.writestr("file.txt", "content")
        self.aws.objects["artifacts/source.zip"] = target.getvalue()
        request = {
            "projectName": "build-dev",
            "sourceTypeOverride": "S3",
            "sourceLocationOverride": "artifacts/source.zip",
            "sourceVersion": COMMIT,
            "artifactsOverride": {
                "type": "S3",
                "location": "artifacts",
                "path": "pipeline-dev/BuildOutp",
                "name": "x.zip",
                "packaging": "ZIP",
            },
        }
        return str(self.codebuild.call("StartBuild", request | more)["build"]["id"])

    def shown(self, build: str) -> dict[str, Any]:
        found: dict[str, Any] = self.codebuild.call("BatchGetBuilds", {"ids": [build]})["builds"][0]
        return found

    def finish(self, build: str) -> dict[str, Any]:
        assert self.codebuild.builds[build].ended.wait(30)
        return self.shown(build)

    def run(self, buildspec: str, **more: Any) -> dict[str, Any]:
        return self.finish(self.start(buildspec, **more))

    def log(self, build: dict[str, Any]) -> str:
        return self.aws.logs[build["logs"]["streamName"]]
