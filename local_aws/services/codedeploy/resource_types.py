"""CloudFormation's AWS::CodeDeploy resource types, on the operations of the API."""

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.core.context import Context
from local_aws.services.codedeploy.deployment_config import DEFAULT

Call = Callable[[str, Mapping[str, Any]], dict[str, Any]]
Created = tuple[str, dict[str, Any]]


def resource_types(call: Call, context: Context) -> dict[str, ResourceType]:
    """Return the types; `call` runs an operation of CodeDeploy."""
    types = CodeDeployResourceTypes(call, context)
    config_properties = ("ComputePlatform", "DeploymentConfigName", "TrafficRoutingConfig")
    return {
        "AWS::CodeDeploy::Application": ResourceType(
            types.create_application,
            types.delete_application,
            types.update_application,
            frozenset({"ApplicationName", "ComputePlatform"}),
        ),
        "AWS::CodeDeploy::DeploymentConfig": ResourceType(
            types.create_config,
            types.delete_config,
            replaced_by=frozenset({*config_properties, "MinimumHealthyHosts", "ZonalConfig"}),
        ),
        "AWS::CodeDeploy::DeploymentGroup": ResourceType(
            types.create_group,
            types.delete_group,
            types.update_group,
            frozenset({"ApplicationName", "DeploymentGroupName"}),
        ),
    }


class CodeDeployResourceTypes:
    """The handlers of AWS::CodeDeploy::Application, DeploymentConfig and DeploymentGroup."""

    def __init__(self, call: Call, context: Context) -> None:
        self.call = call
        self.context = context

    def create_application(self, properties: Properties, logical_id: str, stack: str) -> Created:
        given = {"ApplicationName": _name(stack, logical_id), **properties}
        given = arguments("codedeploy", "CreateApplication", given)
        self.call("CreateApplication", given)
        return given["applicationName"], {}

    def update_application(self, name: str, old: Properties, new: Properties) -> dict[str, Any]:
        self._tag(f"application:{name}", old, new)
        return {}

    def delete_application(self, name: str, _: Properties) -> None:
        self.call("DeleteApplication", {"applicationName": name})

    def create_config(self, properties: Properties, logical_id: str, stack: str) -> Created:
        given = {"DeploymentConfigName": _name(stack, logical_id), **properties}
        given = arguments("codedeploy", "CreateDeploymentConfig", given)
        self.call("CreateDeploymentConfig", given)
        return given["deploymentConfigName"], {}

    def delete_config(self, name: str, _: Properties) -> None:
        self.call("DeleteDeploymentConfig", {"deploymentConfigName": name})

    def create_group(self, properties: Properties, logical_id: str, stack: str) -> Created:
        given = {"DeploymentGroupName": _name(stack, logical_id), **properties}
        given = arguments("codedeploy", "CreateDeploymentGroup", given)
        self.call("CreateDeploymentGroup", given)
        return given["deploymentGroupName"], {}

    def update_group(self, name: str, old: Properties, new: Properties) -> dict[str, Any]:
        settings = {key: value for key, value in new.items() if key not in ("DeploymentGroupName", "Tags")}
        # A property that is removed from the template gets AWS's default, as the update keeps what it omits.
        for key, default in (
            ("AlarmConfiguration", {"enabled": False, "alarms": []}),
            ("AutoRollbackConfiguration", {"enabled": False, "events": []}),
            ("DeploymentConfigName", DEFAULT),
        ):
            if key in old and key not in new:
                settings[key] = default
        given = arguments("codedeploy", "UpdateDeploymentGroup", settings)
        self.call("UpdateDeploymentGroup", {**given, "currentDeploymentGroupName": name})
        self._tag(f"deploymentgroup:{new['ApplicationName']}/{name}", old, new)
        return {}

    def delete_group(self, name: str, properties: Properties) -> None:
        given = {"applicationName": properties["ApplicationName"], "deploymentGroupName": name}
        try:
            self.call("DeleteDeploymentGroup", given)
        except AwsError as error:
            if error.code != "ApplicationDoesNotExistException":
                raise

    def _tag(self, resource: str, old: Properties, new: Properties) -> None:
        arn = self.context.arn("codedeploy", resource)
        before = {tag["Key"]: tag["Value"] for tag in old.get("Tags") or []}
        after = {tag["Key"]: tag["Value"] for tag in new.get("Tags") or []}
        removed = [key for key in before if key not in after]
        if removed:
            self.call("UntagResource", {"ResourceArn": arn, "TagKeys": removed})
        tags = [{"Key": key, "Value": value} for key, value in after.items()]
        if tags:
            self.call("TagResource", {"ResourceArn": arn, "Tags": tags})


def _name(stack: str, logical_id: str) -> str:
    return f"{stack}-{logical_id}-{secrets.token_hex(6).upper()}"[:100]
