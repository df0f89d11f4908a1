"""CloudFormation's AWS::CodeBuild::Project and AWS::CodeBuild::ReportGroup."""

import secrets
from collections.abc import Mapping
from typing import Any, Protocol

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType, arguments


class Service(Protocol):
    """What the types need of CodeBuild."""

    def call(self, operation: str, params: Mapping[str, Any]) -> dict[str, Any]: ...

    def project_arn(self, name: str) -> str: ...

    def report_group_arn(self, name: str) -> str: ...


def resource_types(service: Service) -> dict[str, ResourceType]:
    """Return the types, made and unmade through `service`."""
    return {
        "AWS::CodeBuild::Project": _project(service),
        "AWS::CodeBuild::ReportGroup": _report_group(service),
    }


def _project(service: Service) -> ResourceType:
    def create(properties: Properties, logical_id: str, stack: str) -> tuple[str, dict[str, Any]]:
        wanted = {"Name": _name(stack, logical_id), **properties}
        name = service.call("CreateProject", _project_arguments(wanted))["project"]["name"]
        return name, {"Arn": service.project_arn(name), "Id": name}

    def update(name: str, old: Properties, new: Properties) -> dict[str, Any]:
        # A property taken out of the template goes back to its default: the project is made anew, in place.
        wanted = _project_arguments({"Name": name, **new})
        service.call("DeleteProject", {"name": name})
        try:
            service.call("CreateProject", wanted)
        except AwsError:
            service.call("CreateProject", _project_arguments({"Name": name, **old}))
            raise
        return {"Arn": service.project_arn(name), "Id": name}

    def delete(name: str, properties: Properties) -> None:
        service.call("DeleteProject", {"name": name})

    return ResourceType(create, delete, update, frozenset({"Name"}))


def _project_arguments(properties: Properties) -> dict[str, Any]:
    wanted = dict(properties)
    if wanted.pop("Visibility", "PRIVATE") != "PRIVATE":
        raise AwsError("UnsupportedOperation", "local_aws has private projects only")
    triggers = wanted.pop("Triggers", {})
    if any(str(value).lower() not in ("false", "[]", "{}") for value in triggers.values()):
        raise AwsError("UnsupportedOperation", "local_aws has no webhooks: Triggers must be empty")
    return arguments("codebuild", "CreateProject", wanted)


def _report_group(service: Service) -> ResourceType:
    def create(properties: Properties, logical_id: str, stack: str) -> tuple[str, dict[str, Any]]:
        wanted = {"Name": _name(stack, logical_id), **properties}
        wanted.pop("DeleteReports", None)
        group = service.call("CreateReportGroup", arguments("codebuild", "CreateReportGroup", wanted))
        arn = group["reportGroup"]["arn"]
        return arn, {"Arn": arn}

    def update(arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        wanted = {name: value for name, value in new.items() if name in ("ExportConfig", "Tags")}
        service.call("UpdateReportGroup", {"arn": arn, **arguments("codebuild", "UpdateReportGroup", wanted)})
        return {"Arn": arn}

    def delete(arn: str, properties: Properties) -> None:
        with_reports = str(properties.get("DeleteReports", False)).lower() == "true"
        service.call("DeleteReportGroup", {"arn": arn, "deleteReports": with_reports})

    return ResourceType(create, delete, update, frozenset({"Name", "Type"}))


def _name(stack: str, logical_id: str) -> str:
    return f"{stack}-{logical_id}-{secrets.token_hex(6)}"
