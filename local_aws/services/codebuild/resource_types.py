"""AWS::CodeBuild::Project and AWS::CodeBuild::ReportGroup, CloudFormation's types.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/AWS_CodeBuild.html
"""

import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.codebuild.errors import unsupported


class CodeBuildOperations(Protocol):
    """The part of the service that the types use."""

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]: ...

    def project_arn(self, name: str) -> str: ...

    def report_group_arn(self, name: str) -> str: ...


def resource_types(service: CodeBuildOperations) -> dict[str, ResourceType]:
    """Return how CloudFormation creates, updates and deletes the resources of `service`."""
    return {
        "AWS::CodeBuild::Project": _project(service),
        "AWS::CodeBuild::ReportGroup": _report_group(service),
    }


def _project(service: CodeBuildOperations) -> ResourceType:
    def create(properties: Properties, logical_id: str, stack: str) -> tuple[str, dict[str, Any]]:
        members = {"Name": _generate_name(stack, logical_id), **properties}
        name = service.call("CreateProject", _project_arguments(members))["project"]["name"]
        return name, {"Arn": service.project_arn(name), "Id": name}

    def update(name: str, old: Properties, new: Properties) -> dict[str, Any]:
        # A property that is removed from the template returns to its default: the project is created anew.
        members = _project_arguments({"Name": name, **new})
        service.call("DeleteProject", {"name": name})
        try:
            service.call("CreateProject", members)
        except AwsError:
            service.call("CreateProject", _project_arguments({"Name": name, **old}))
            raise
        return {"Arn": service.project_arn(name), "Id": name}

    def delete(name: str, properties: Properties) -> None:
        service.call("DeleteProject", {"name": name})

    return ResourceType(create, delete, update, frozenset({"Name"}))


def _project_arguments(properties: Properties) -> dict[str, Any]:
    members = dict(properties)
    if members.pop("Visibility", "PRIVATE") != "PRIVATE":
        raise unsupported("local_aws has private projects only")
    triggers = members.pop("Triggers", {})
    if any(str(value).lower() not in ("false", "[]", "{}") for value in triggers.values()):
        raise unsupported("local_aws has no webhooks: Triggers must be empty")
    return arguments("codebuild", "CreateProject", members)


def _report_group(service: CodeBuildOperations) -> ResourceType:
    def create(properties: Properties, logical_id: str, stack: str) -> tuple[str, dict[str, Any]]:
        members = {"Name": _generate_name(stack, logical_id), **properties}
        members.pop("DeleteReports", None)
        group = service.call("CreateReportGroup", arguments("codebuild", "CreateReportGroup", members))
        arn = group["reportGroup"]["arn"]
        return arn, {"Arn": arn}

    def update(arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        members = {name: value for name, value in new.items() if name in ("ExportConfig", "Tags")}
        service.call(
            "UpdateReportGroup", {"arn": arn, **arguments("codebuild", "UpdateReportGroup", members)}
        )
        return {"Arn": arn}

    def delete(arn: str, properties: Properties) -> None:
        with_reports = str(properties.get("DeleteReports", False)).lower() == "true"
        service.call("DeleteReportGroup", {"arn": arn, "deleteReports": with_reports})

    return ResourceType(create, delete, update, frozenset({"Name", "Type"}))


def _generate_name(stack: str, logical_id: str) -> str:
    return f"{stack}-{logical_id}-{secrets.token_hex(6)}"
