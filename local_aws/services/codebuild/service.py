"""CodeBuild: projects, report groups, and builds that run as processes of this machine."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError, Counts
from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context, ServiceRole
from local_aws.services.codebuild.build_request import BuildRequest, apply_overrides, log_destination
from local_aws.services.codebuild.errors import ReportError, invalid_input, not_found
from local_aws.services.codebuild.event_target import start_target
from local_aws.services.codebuild.junit import TestCase
from local_aws.services.codebuild.phases import BuildRun, DockerProvider, remove_leftovers
from local_aws.services.codebuild.records import BuildRecord
from local_aws.services.codebuild.report_groups import ReportGroups
from local_aws.services.codebuild.resource_types import resource_types
from local_aws.services.codebuild.serializers import initiator, new_build
from local_aws.services.codebuild.shapes import ProjectShape

STOP_SECONDS = 10.0
# The permissions of the project's role for a report; their actions are not public operations.
# https://docs.aws.amazon.com/codebuild/latest/userguide/test-permissions.html
REPORT_ACTIONS = ("codebuild:CreateReport", "codebuild:BatchPutTestCases", "codebuild:UpdateReport")


class CodeBuild(ReportGroups):
    """The service. `containers` provides the `docker` of a build."""

    persisted = (
        *("projects", "report_groups", "reports", "test_cases"),
        *("builds", "build_numbers", "idempotency_tokens"),
    )
    counts: ClassVar[Counts] = {
        "CreateProject": lambda own, _: len(own.projects),
        "CreateReportGroup": lambda own, _: len(own.report_groups),
    }

    def __init__(self, context: Context, containers: DockerProvider) -> None:
        super().__init__(context)
        self.containers = containers
        self.state = context.work / "codebuild"
        self.builds: dict[str, BuildRecord] = {}
        # The number of the last build, by the project's name.
        self.build_numbers: dict[str, int] = {}
        # The request and the build's ID, by StartBuild's idempotencyToken.
        self.idempotency_tokens: dict[str, tuple[Mapping[str, Any], str]] = {}
        remove_leftovers(self.state)

    def resource_types(self) -> dict[str, ResourceType]:
        """Return AWS::CodeBuild::Project and AWS::CodeBuild::ReportGroup."""
        return resource_types(self)

    def resume(self) -> None:
        """End the builds that were running when an earlier local_aws ended."""
        for build in self.builds.values():
            if not build.shape["buildComplete"]:
                build.fail_after_restart()

    def start_build(self, params: dict[str, Any]) -> dict[str, Any]:
        """Start a build. The same idempotencyToken returns the same build."""
        token = params.get("idempotencyToken")
        if token in self.idempotency_tokens:
            first_params, build_id = self.idempotency_tokens[token]
            if first_params != params:
                raise invalid_input(f"Request parameter mismatch for idempotency token {token}")
            return {"build": self.builds[build_id].copy_shape()}
        project = apply_overrides(self.find_project(params["projectName"]), params)
        build, request = self._new_build(project, params)
        run = BuildRun(self.context, self.containers, build, request, self.state)
        self.builds[build.id] = build
        if token:
            self.idempotency_tokens[token] = (params, build.id)
        answer = build.copy_shape()
        self.context.spawn(f"build {build.id}", run.run)
        return {"build": answer}

    def deliver(self, target_arn: str, target: Mapping[str, Any]) -> None:
        """Start the build of a project that is a rule's target, without waiting for it."""
        self.context.spawn("codebuild-target", start_target, self.context, target_arn, target)

    def stop_build(self, params: dict[str, Any]) -> dict[str, Any]:
        """Stop a build; one that has ended is returned unchanged."""
        build = self.builds.get(_build_id(params["id"]))
        if build is None:
            raise not_found("Build", params["id"])
        build.stopping.set()
        return {"build": build.copy_shape()}

    def batch_get_builds(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return several builds, and the IDs of those that do not exist."""
        ids = [_build_id(identifier) for identifier in params["ids"]]
        return {
            "builds": [self.builds[build_id].copy_shape() for build_id in ids if build_id in self.builds],
            "buildsNotFound": [build_id for build_id in ids if build_id not in self.builds],
        }

    def list_builds(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the IDs of the builds, the newest first."""
        ids = list(self.builds)
        return {"ids": ids if params.get("sortOrder") == "ASCENDING" else ids[::-1]}

    def list_builds_for_project(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the IDs of a project's builds, the newest first."""
        name = self.find_project(params["projectName"])["name"]
        ids = self.list_builds(params)["ids"]
        return {"ids": [build_id for build_id in ids if build_id.rpartition(":")[0] == name]}

    def stop(self) -> None:
        """Stop every running build, and wait for its end."""
        running = [build for build in self.builds.values() if not build.shape["buildComplete"]]
        for build in running:
            build.stopping.set()
        for build in running:
            build.ended.wait(STOP_SECONDS)

    def _new_build(
        self, project: ProjectShape, params: Mapping[str, Any]
    ) -> tuple[BuildRecord, BuildRequest]:
        name, build_uuid = project["name"], str(uuid.uuid4())
        self.build_numbers[name] = number = self.build_numbers.get(name, 0) + 1
        log_group, log_stream = log_destination(project, build_uuid)
        role = self.service_role(project)
        request = BuildRequest(
            source=project["source"],
            artifacts=project["artifacts"],
            environment=project["environment"],
            service_role=role,
            encryption_key=project.get("encryptionKey"),
            log_group=log_group,
            log_stream=log_stream,
            add_report=self._report_adder(f"{name}:{build_uuid}", role),
        )
        shape = new_build(self.context, project, request, build_uuid, number)
        shape["initiator"] = initiator(self.find_project(name), project)
        version = params.get("sourceVersion", project.get("sourceVersion"))
        if version:
            shape["sourceVersion"] = version
            # The commit of a branch is known once the repository is cloned.
            if project["source"]["type"] != "CODECOMMIT":
                shape["resolvedSourceVersion"] = version
        return BuildRecord(self.context, self.lock, shape), request

    def _report_adder(self, build_id: str, role: ServiceRole) -> Callable[[str, list[TestCase]], None]:
        def add(name_or_arn: str, cases: list[TestCase]) -> None:
            build = self.builds[build_id]
            if name_or_arn.startswith("arn:"):
                group = name_or_arn
            else:
                group = self._create_report_group(build.shape["projectName"], name_or_arn, role)
            try:
                for action in REPORT_ACTIONS:
                    self.context.authorize(role, action, group)
                arn = self.add_report(group, build.shape["arn"], cases)
            except AwsError as error:
                raise ReportError(name_or_arn, f"error creating report: {error}") from error
            build.update(reportArns=[*build.shape["reportArns"], arn])

        return add

    def _create_report_group(self, project: str, key: str, role: ServiceRole) -> str:
        """Create the group of a project that a name in the buildspec stands for, and return its ARN.

        The role needs the permission even if the group exists (pitfall F10).
        """
        name = f"{project}-{key}"
        client = self.context.client("codebuild", role)
        try:
            client.create_report_group(name=name, type="TEST", exportConfig={"exportConfigType": "NO_EXPORT"})
        except ClientError as error:
            reason = error.response["Error"]
            if reason["Code"] != "ResourceAlreadyExistsException":
                # https://github.com/aws/aws-cdk/issues/7367
                text = f"error creating report group: {reason['Code']}: {reason.get('Message', '')}"
                raise ReportError(key, text) from error
        return self.report_group_arn(name)


def _build_id(id_or_arn: str) -> str:
    return id_or_arn.rpartition("/")[2]
