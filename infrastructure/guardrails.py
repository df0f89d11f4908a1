"""What must hold of every resource, whoever adds it: gone with its stack, tagged, and 30 days of logs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import jsii
from aws_cdk import Annotations, Aspects, CfnDeletionPolicy, CfnResource, IAspect, TagManager
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

RETENTION_DAYS = 30
AUTO_DELETE_TAG = "aws-cdk:auto-delete-objects"


def guard(scope: Construct, *, tags: Mapping[str, str]) -> None:
    """Fail the synthesis of whatever in `scope` breaks a rule, naming each resource."""
    # READONLY aspects come last (priority 1000), after those that add tags.
    Aspects.of(scope).add(Guardrails(tags), priority=1000)


@jsii.implements(IAspect)
class Guardrails:
    """Add an error to every resource that would stay behind, is not tagged, or keeps its logs too long."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = dict(tags)

    def visit(self, node: IConstruct) -> None:
        if CfnResource.is_cfn_resource(node) and isinstance(node, CfnResource):
            for problem in self._problems(node):
                message = f"{node.node.path} ({node.cfn_resource_type}) {problem}"
                Annotations.of(node).add_error(message)

    def _problems(self, resource: CfnResource) -> Iterator[str]:
        yield from _stays_behind(resource)
        yield from _keeps_logs(resource)
        yield from _lacks_tags(resource, self._tags)


def _stays_behind(resource: CfnResource) -> Iterator[str]:
    if resource.cfn_options.deletion_policy not in (None, CfnDeletionPolicy.DELETE):
        yield "would stay when its stack is destroyed: give it RemovalPolicy.DESTROY"
    if isinstance(resource, s3.CfnBucket) and AUTO_DELETE_TAG not in resource.tags.tag_values():
        yield "could not be destroyed with objects in it: set auto_delete_objects"
    if isinstance(resource, ecr.CfnRepository) and resource.empty_on_delete is not True:
        yield "could not be destroyed with images in it: set empty_on_delete"
    if isinstance(resource, codebuild.CfnReportGroup) and resource.delete_reports is not True:
        yield "could not be destroyed with reports in it: set delete_reports"
    if isinstance(resource, elbv2.CfnLoadBalancer) and _protected(resource):
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


def _keeps_logs(resource: CfnResource) -> Iterator[str]:
    if isinstance(resource, logs.CfnLogGroup) and resource.retention_in_days != RETENTION_DAYS:
        kept = f"{resource.retention_in_days} days" if resource.retention_in_days else "for ever"
        yield f"keeps its logs {kept}: set retention to {RETENTION_DAYS} days"


def _lacks_tags(resource: CfnResource, wanted: Mapping[str, str]) -> Iterator[str]:
    manager = TagManager.of(resource)
    if manager is None:
        return
    tags = manager.tag_values()
    lacking = sorted(key for key, value in wanted.items() if tags.get(key) != value)
    if lacking:
        yield f"lacks the tags {', '.join(lacking)}: the root stack gives them, so do not exclude it"
