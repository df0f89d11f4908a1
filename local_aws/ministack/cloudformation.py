"""CloudFormation made honest: our types in, the missing ones added, every handler strict."""

from collections.abc import Iterable, Mapping
from typing import Any

from local_aws import ministack
from local_aws.context import Context
from local_aws.ministack import (
    custom_resources,
    dashboards,
    ec2,
    log_targets,
    nested_stacks,
    notifications,
    properties,
    refusals,
    s3,
)
from local_aws.ministack.private import require

# The types to which a stack's tags, and CloudFormation's own, go besides those that MiniStack knows.
TAGGED = (
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeBuild::ReportGroup",
    "AWS::CodeCommit::Repository",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::CodePipeline::Pipeline",
    "AWS::EC2::EIP",
    "AWS::EC2::NatGateway",
    "AWS::ECS::TaskDefinition",
    "AWS::Events::Rule",
    "AWS::S3::Bucket",
)

# Their API refuses tags that begin with `aws:`; on AWS, CloudFormation sets its own past the API.
UNMARKED = ("AWS::CodePipeline::Pipeline",)


def install(context: Context, services: Iterable[Any]) -> None:
    """Make MiniStack's CloudFormation tell the truth; `services` bring their own types. Call it once."""
    stack_tags = require("services.cloudformation.provisioners", "_STACK_TAG_PROPERTY")._STACK_TAG_PROPERTY
    stack_tags.update(dict.fromkeys(TAGGED, ("Tags", "list")))
    for service in services:
        if hasattr(service, "resource_types"):
            ministack.register_types(service.resource_types())
    _unmark()
    ministack.register_types(ec2.resource_types(context))
    ministack.register_types(notifications.resource_types(context))
    s3.install(context)
    notifications.install(context)
    log_targets.install()
    dashboards.install()
    refusals.install(context)
    nested_stacks.install()
    custom_resources.install()
    properties.install()


def _unmark() -> None:
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    for name in UNMARKED:
        create, update = handlers[name]["create"], handlers[name]["update"]
        handlers[name] = {
            **handlers[name],
            "create": lambda logical_id, props, stack, create=create: create(
                logical_id, _without_marks(props), stack
            ),
            "update": lambda physical_id, old, new, *rest, update=update: update(
                physical_id, _without_marks(old), _without_marks(new), *rest
            ),
        }


def _without_marks(props: Mapping[str, Any]) -> dict[str, Any]:
    tags = [dict(tag) for tag in props.get("Tags", [])]
    return {**props, "Tags": [tag for tag in tags if not tag["Key"].startswith("aws:")]}
