"""Patches MiniStack's CloudFormation: adds our resource types and missing ones, and makes handlers strict."""

from collections.abc import Iterable
from typing import Any

from local_aws import ministack
from local_aws.core.context import Context
from local_aws.ministack import (
    alarm_types,
    conditions,
    custom_resources,
    dashboards,
    deletions,
    drift,
    ec2,
    ec2_references,
    ec2_validation,
    function_network,
    function_targets,
    identity_providers,
    log_filters,
    log_groups,
    log_policies,
    log_targets,
    metric_alarms,
    names,
    nested_stacks,
    notifications,
    preconditions,
    properties,
    property_validation,
    references,
    s3,
    stack_events,
    stack_exports,
    stack_parameters,
    stack_parents,
    stack_requests,
    template_requests,
    templates,
)
from local_aws.ministack.compat import require
from local_aws.ministack.function_states import FunctionStates

# The types that get a stack's tags and CloudFormation's own, in addition to MiniStack's.
TAGGED = (
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeBuild::ReportGroup",
    "AWS::CodeCommit::Repository",
    "AWS::CodeDeploy::Application",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::CodePipeline::Pipeline",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::ECS::TaskDefinition",
    "AWS::Events::Rule",
    "AWS::IAM::OIDCProvider",
    "AWS::S3::Bucket",
)


def patch_cloudformation(context: Context, services: Iterable[Any], states: FunctionStates) -> None:
    """Patch MiniStack's CloudFormation, with the resource types of `services`. Call it once."""
    stack_tags = require("services.cloudformation.provisioners", "_STACK_TAG_PROPERTY")._STACK_TAG_PROPERTY
    stack_tags.update(dict.fromkeys(TAGGED, ("Tags", "list")))
    for service in services:
        if hasattr(service, "resource_types"):
            ministack.register_types(service.resource_types())
    for module in (ec2, notifications, identity_providers, alarm_types):
        ministack.register_types(module.resource_types(context))
    ec2.patch_vpcs()
    ec2_validation.patch_network_validation()
    s3.patch_s3(context)
    notifications.patch_sns(context)
    log_groups.patch_log_group_deletion(context)
    log_policies.patch_log_policies(context)
    log_filters.patch_log_filters()
    log_targets.patch_log_targets(context)
    function_targets.patch_function_targets(context)
    dashboards.patch_dashboards()
    metric_alarms.patch_put_metric_alarm()
    function_network.patch_function_vpc(states)
    preconditions.patch_preconditions(context)
    names.patch_name_validation()
    templates.patch_template_validation()
    stack_exports.patch_stack_exports()
    conditions.patch_conditions()
    nested_stacks.patch_nested_stacks()
    deletions.patch_stack_deletion()
    stack_events.patch_stack_events()
    stack_parents.patch_stack_parents()
    custom_resources.patch_custom_resources()
    property_validation.patch_pre_deployment_validation()
    stack_parameters.patch_stack_parameters()
    stack_requests.patch_stack_requests()
    ec2_references.patch_ec2_references()
    references.patch_references(context)
    template_requests.patch_template_requests()
    drift.patch_drift(context)
    # The last one: it wraps the handlers as they are by then.
    properties.patch_property_checks()
