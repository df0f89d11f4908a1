"""CloudFormation made honest: our types in, the missing ones added, every handler strict."""

from collections.abc import Iterable
from typing import Any

from local_aws import ministack
from local_aws.core.context import Context
from local_aws.ministack import (
    custom_resources,
    dashboards,
    deletions,
    ec2,
    function_network,
    identity_providers,
    log_groups,
    log_targets,
    names,
    nested_stacks,
    notifications,
    preconditions,
    properties,
    s3,
    templates,
)
from local_aws.ministack.compat import require

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
    "AWS::IAM::OIDCProvider",
    "AWS::S3::Bucket",
)


def install(context: Context, services: Iterable[Any]) -> None:
    """Make MiniStack's CloudFormation tell the truth; `services` bring their own types. Call it once."""
    stack_tags = require("services.cloudformation.provisioners", "_STACK_TAG_PROPERTY")._STACK_TAG_PROPERTY
    stack_tags.update(dict.fromkeys(TAGGED, ("Tags", "list")))
    for service in services:
        if hasattr(service, "resource_types"):
            ministack.register_types(service.resource_types())
    ministack.register_types(ec2.resource_types(context))
    ministack.register_types(notifications.resource_types(context))
    ministack.register_types(identity_providers.resource_types(context))
    s3.install(context)
    notifications.install(context)
    log_groups.install(context)
    log_targets.install(context)
    dashboards.install()
    function_network.install_types()
    preconditions.install(context)
    names.install()
    templates.install()
    nested_stacks.install()
    deletions.install()
    custom_resources.install()
    properties.install()
