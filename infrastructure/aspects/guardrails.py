"""The rules for every resource: deleted with its stack, named, tagged, and 30 days of logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import jsii
from aws_cdk import Annotations, Aspects, CfnDeletionPolicy, CfnResource, IAspect, Stack, TagManager
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from infrastructure.aspects.names import naming_violations
from infrastructure.naming import Names

RETENTION_DAYS = 30
AUTO_DELETE_TAG = "aws-cdk:auto-delete-objects"


def enforce_guardrails(scope: Construct, *, names: Names) -> None:
    """Fail the synthesis if a resource in `scope` violates a rule; the error has its path."""
    # The priority of readonly aspects: after the aspects that add tags.
    Aspects.of(scope).add(Guardrails(names), priority=1000)


@jsii.implements(IAspect)
class Guardrails:
    """Add an error to every resource that violates a rule."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def visit(self, node: IConstruct) -> None:
        if CfnResource.is_cfn_resource(node) and isinstance(node, CfnResource):
            for violation in self._violations(node):
                message = f"{node.node.path} ({node.cfn_resource_type}) {violation}"
                Annotations.of(node).add_error(message)

    def _violations(self, resource: CfnResource) -> Iterator[str]:
        yield from _retained(resource)
        yield from _wrong_log_retention(resource)
        yield from _unmanaged_log_group(resource)
        yield from naming_violations(resource, self._names.suffix)
        yield from _missing_tags(resource, self._names)


def _retained(resource: CfnResource) -> Iterator[str]:
    if resource.cfn_options.deletion_policy not in (None, CfnDeletionPolicy.DELETE):
        yield "would stay when its stack is destroyed: give it RemovalPolicy.DESTROY"
    if resource.cfn_options.update_replace_policy not in (None, CfnDeletionPolicy.DELETE):
        yield "would stay when it is replaced: give it RemovalPolicy.DESTROY"
    match resource:
        case s3.CfnBucket() if AUTO_DELETE_TAG not in resource.tags.tag_values():
            yield "could not be destroyed with objects in it: set auto_delete_objects"
        case ecr.CfnRepository() if resource.empty_on_delete is not True:
            yield "could not be destroyed with images in it: set empty_on_delete"
        case codebuild.CfnReportGroup() if resource.delete_reports is not True:
            yield "could not be destroyed with reports in it: set delete_reports"
        case elbv2.CfnLoadBalancer() if _protected(resource):
            yield "could not be destroyed: set deletion_protection to False"


def _protected(load_balancer: elbv2.CfnLoadBalancer) -> bool:
    attributes = load_balancer.load_balancer_attributes
    if not isinstance(attributes, Iterable):
        return False
    return any(
        isinstance(attribute, elbv2.CfnLoadBalancer.LoadBalancerAttributeProperty)
        and attribute.key == "deletion_protection.enabled"
        and attribute.value == "true"
        for attribute in attributes
    )


def _wrong_log_retention(resource: CfnResource) -> Iterator[str]:
    if isinstance(resource, logs.CfnLogGroup) and resource.retention_in_days != RETENTION_DAYS:
        kept = f"{resource.retention_in_days} days" if resource.retention_in_days else "for ever"
        yield f"keeps its logs {kept}: set retention to {RETENTION_DAYS} days"


def _unmanaged_log_group(resource: CfnResource) -> Iterator[str]:
    """A log group that no stack owns never expires, and destroy leaves it (pitfalls H1, H3)."""
    if isinstance(resource, lambda_.CfnFunction) and _log_group_of(resource) is None:
        yield "would log to a group outside the stack: give it a log_group of ours"
    if isinstance(resource, codebuild.CfnProject) and resource.logs_config is None:
        yield "would log to a group outside the stack: give it a log_group of ours"
    if isinstance(resource, ecs.CfnCluster) and not (
        _insights_are_off(resource) or _has_insights_group(resource)
    ):
        yield (
            "would log its Container Insights outside the stack: create the log group "
            "/aws/ecs/containerinsights/{cluster}/performance in its stack, before the cluster"
        )


def _log_group_of(function: lambda_.CfnFunction) -> object:
    config = function.logging_config
    return config.log_group if isinstance(config, lambda_.CfnFunction.LoggingConfigProperty) else None


def _insights_are_off(cluster: ecs.CfnCluster) -> bool:
    settings = cluster.cluster_settings
    return isinstance(settings, Iterable) and any(
        isinstance(setting, ecs.CfnCluster.ClusterSettingsProperty)
        and (setting.name, setting.value) == ("containerInsights", "disabled")
        for setting in settings
    )


def _has_insights_group(cluster: ecs.CfnCluster) -> bool:
    name = f"/aws/ecs/containerinsights/{cluster.cluster_name}/performance"
    return any(
        isinstance(one, logs.CfnLogGroup) and one.log_group_name == name
        for one in Stack.of(cluster).node.find_all()
    )


def _missing_tags(resource: CfnResource, names: Names) -> Iterator[str]:
    manager = TagManager.of(resource)
    if manager is None:
        return
    tags = manager.tag_values()
    lacking = sorted(key for key, value in names.tags.items() if tags.get(key) != value)
    if lacking:
        yield f"lacks the tags {', '.join(lacking)}: the root stack gives them, so do not exclude it"
