"""CodeBuild: builds that truly run, as processes of this machine, and the CloudFormation types around them.

`CodeBuild(context, containers)`; the container engine gives a build its `docker`.
"""

import uuid
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError, now
from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context, ServiceRole
from local_aws.services.codebuild.phases import BuildRun, Docker, remove_leftovers
from local_aws.services.codebuild.records import Build
from local_aws.services.codebuild.report_groups import Reports
from local_aws.services.codebuild.reports import TestCase
from local_aws.services.codebuild.request import Request
from local_aws.services.codebuild.resource_types import resource_types
from local_aws.services.codebuild.validation import check_environment, check_source

# Simple overrides of StartBuild: the argument, the part of the project that it is in, and the member.
OVERRIDES = (
    ("sourceTypeOverride", "source", "type"),
    ("sourceLocationOverride", "source", "location"),
    ("buildspecOverride", "source", "buildspec"),
    ("imageOverride", "environment", "image"),
    ("computeTypeOverride", "environment", "computeType"),
    ("environmentTypeOverride", "environment", "type"),
    ("privilegedModeOverride", "environment", "privilegedMode"),
    ("serviceRoleOverride", None, "serviceRole"),
    ("encryptionKeyOverride", None, "encryptionKey"),
    ("timeoutInMinutesOverride", None, "timeoutInMinutes"),
    ("queuedTimeoutInMinutesOverride", None, "queuedTimeoutInMinutes"),
    ("artifactsOverride", None, "artifacts"),
    ("logsConfigOverride", None, "logsConfig"),
    ("cacheOverride", None, "cache"),
)
OTHER_ARGUMENTS = {"projectName", "sourceVersion", "environmentVariablesOverride", "idempotencyToken"}
STOP_SECONDS = 10.0
# What CodeBuild does for a report, as the project's role; these actions have no public operation.
# https://docs.aws.amazon.com/codebuild/latest/userguide/test-permissions.html
REPORTING = ("codebuild:CreateReport", "codebuild:BatchPutTestCases", "codebuild:UpdateReport")


class CodeBuild(Reports):
    """The service."""

    persisted = ("projects", "report_groups", "reports", "test_cases", "builds", "numbers", "tokens")

    def __init__(self, context: Context, containers: Docker) -> None:
        super().__init__(context)
        self.containers = containers
        self.state = context.state / "codebuild"
        self.builds: dict[str, Build] = {}
        self.numbers: dict[str, int] = {}
        self.tokens: dict[str, tuple[dict[str, Any], str]] = {}
        remove_leftovers(self.state)

    def resource_types(self) -> dict[str, ResourceType]:
        """Return AWS::CodeBuild::Project and AWS::CodeBuild::ReportGroup."""
        return resource_types(self)

    def resume(self) -> None:
        """End the builds that ended with an earlier local_aws."""
        for build in self.builds.values():
            if not build.record["buildComplete"]:
                build.lose()

    def start_build(self, params: dict[str, Any]) -> dict[str, Any]:
        token = params.get("idempotencyToken")
        if token in self.tokens:
            asked, build_id = self.tokens[token]
            if asked != params:
                raise AwsError(
                    "InvalidInputException", f"Request parameter mismatch for idempotency token {token}"
                )
            return {"build": self.builds[build_id].shown()}
        project = overridden(self.project(params["projectName"]), params)
        build, request = self._new_build(project, params)
        run = BuildRun(self.context, self.containers, build, request, self.state)
        self.builds[build.id] = build
        if token:
            self.tokens[token] = (params, build.id)
        shown = build.shown()
        self.context.spawn(f"build {build.id}", run.run)
        return {"build": shown}

    def stop_build(self, params: dict[str, Any]) -> dict[str, Any]:
        """Stop a build; one that has ended is shown as it is."""
        build = self._build(params["id"])
        build.stopping.set()
        return {"build": build.shown()}

    def batch_get_builds(self, params: dict[str, Any]) -> dict[str, Any]:
        ids = [identifier.rpartition("/")[2] for identifier in params["ids"]]
        return {
            "builds": [self.builds[build].shown() for build in ids if build in self.builds],
            "buildsNotFound": [build for build in ids if build not in self.builds],
        }

    def list_builds(self, params: dict[str, Any]) -> dict[str, Any]:
        ids = list(self.builds)
        return {"ids": ids if params.get("sortOrder") == "ASCENDING" else ids[::-1]}

    def list_builds_for_project(self, params: dict[str, Any]) -> dict[str, Any]:
        name = self.project(params["projectName"])["name"]
        ids = [build for build in self.list_builds(params)["ids"] if build.rpartition(":")[0] == name]
        return {"ids": ids}

    def stop(self) -> None:
        """Stop every build that runs, and wait for its end."""
        running = [build for build in self.builds.values() if not build.record["buildComplete"]]
        for build in running:
            build.stopping.set()
        for build in running:
            build.ended.wait(STOP_SECONDS)

    def _build(self, identifier: str) -> Build:
        build = self.builds.get(identifier.rpartition("/")[2])
        if build is None:
            raise AwsError("ResourceNotFoundException", f"Build cannot be found: {identifier}")
        return build

    def _new_build(self, project: dict[str, Any], params: dict[str, Any]) -> tuple[Build, Request]:
        name, identifier = project["name"], str(uuid.uuid4())
        self.numbers[name] = number = self.numbers.get(name, 0) + 1
        group, stream = log_place(project, identifier)
        version = params.get("sourceVersion", project.get("sourceVersion"))
        record = {
            "id": f"{name}:{identifier}",
            "arn": self.context.arn("codebuild", f"build/{name}:{identifier}"),
            "buildNumber": number,
            "startTime": now(),
            "buildStatus": "IN_PROGRESS",
            "buildComplete": False,
            "projectName": name,
            "phases": [],
            "source": project["source"],
            "artifacts": {"location": artifact_location(project["artifacts"])},
            "cache": project["cache"],
            "environment": project["environment"],
            "serviceRole": project["serviceRole"],
            "logs": self._logs(project, group, stream),
            "timeoutInMinutes": project["timeoutInMinutes"],
            "queuedTimeoutInMinutes": project["queuedTimeoutInMinutes"],
            "initiator": initiator(self.project(name), project["artifacts"]),
            "encryptionKey": project.get("encryptionKey", self.context.arn("kms", "alias/aws/s3")),
            "reportArns": [],
        }
        if version:
            record |= {"sourceVersion": version, "resolvedSourceVersion": version}
        build = Build(self.context, self.lock, record)
        role = ServiceRole(
            project["serviceRole"], "codebuild", self.context.arn("codebuild", f"project/{name}")
        )
        request = Request(
            source=project["source"],
            artifacts=project["artifacts"],
            environment=project["environment"],
            service_role=role,
            encryption_key=project.get("encryptionKey"),
            log_group=group,
            log_stream=stream,
            add_report=self._report_adder(build, role),
        )
        return build, request

    def _logs(self, project: dict[str, Any], group: str | None, stream: str) -> dict[str, Any]:
        config = project.get("logsConfig", {}).get("cloudWatchLogs", {"status": "ENABLED"})
        if group is None:
            return {"cloudWatchLogs": config}
        region = self.context.region
        console = f"https://console.aws.amazon.com/cloudwatch/home?region={region}"
        return {
            "groupName": group,
            "streamName": stream,
            "deepLink": f"{console}#logEvent:group={group};stream={stream}",
            "cloudWatchLogsArn": self.context.arn("logs", f"log-group:{group}:log-stream:{stream}"),
            "cloudWatchLogs": config,
        }

    def _report_adder(self, build: Build, role: ServiceRole) -> Callable[[str, list[TestCase]], None]:
        def add(name: str, cases: list[TestCase]) -> None:
            # A bare name is the project's own group, which CodeBuild makes when it is not there (pitfall F8).
            own = self.report_group_arn(f"{build.record['projectName']}-{name}")
            group = name if name.startswith("arn:") else own
            if group not in self.report_groups:
                self._make_report_group(group, role)
            for action in REPORTING:
                self.context.authorize(role, action, group)
            arn = self.add_report(group, build.record["arn"], cases)
            build.set(reportArns=[*build.record["reportArns"], arn])

        return add

    def _make_report_group(self, arn: str, role: ServiceRole) -> None:
        client = self.context.client("codebuild", role)
        name = arn.rpartition("/")[2]
        try:
            client.create_report_group(name=name, type="TEST", exportConfig={"exportConfigType": "NO_EXPORT"})
        except ClientError as error:
            # Two builds of one project may come here at once.
            if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                raise


def overridden(project: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
    """Return the project with StartBuild's overrides applied; raises AWS's refusals."""
    unknown = {*params} - OTHER_ARGUMENTS - {name for name, _, _ in OVERRIDES}
    if unknown:
        raise AwsError("UnsupportedOperation", f"local_aws does not know StartBuild's {min(unknown)}", 501)
    project = deepcopy(project)
    for name, part, member in OVERRIDES:
        if name in params:
            (project[part] if part else project)[member] = params[name]
    variables = {item["name"]: item for item in project["environment"].get("environmentVariables", [])}
    variables |= {item["name"]: item for item in params.get("environmentVariablesOverride", [])}
    project["environment"]["environmentVariables"] = list(variables.values())
    if "CODEPIPELINE" in (project["source"]["type"], project["artifacts"]["type"]):
        raise AwsError(
            "InvalidInputException",
            "Cannot start a build of a project with source or artifacts of type CODEPIPELINE outside of "
            "CodePipeline: give sourceTypeOverride, sourceLocationOverride and artifactsOverride",
        )
    check_source(project["source"])
    check_environment(project["environment"])
    return project


def log_place(project: dict[str, Any], identifier: str) -> tuple[str | None, str]:
    """Return the log group (None when logs are off) and the stream of a build."""
    config = project.get("logsConfig", {}).get("cloudWatchLogs", {"status": "ENABLED"})
    prefix = config.get("streamName")
    stream = f"{prefix}/{identifier}" if prefix else identifier
    if config["status"] == "DISABLED":
        return None, stream
    return config.get("groupName", f"/aws/codebuild/{project['name']}"), stream


def artifact_location(artifacts: dict[str, Any]) -> str:
    """Return where a build's output is to go, as the API shows it before it is there."""
    if artifacts["type"] != "S3":
        return ""
    parts = (artifacts.get("location", ""), artifacts.get("path", ""), artifacts.get("name", ""))
    return "arn:aws:s3:::" + "/".join(part.strip("/") for part in parts if part.strip("/"))


def initiator(project: dict[str, Any], artifacts: dict[str, Any]) -> str:
    """Return who started a build: the pipeline when the project is one's, by the folder of its artifacts."""
    if project["source"]["type"] == "CODEPIPELINE":
        return f"codepipeline/{artifacts.get('path', '').strip('/').partition('/')[0]}"
    return "root"
