"""The CDK's own functions behind custom resources, adapted to the rules of the app."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import CfnResource, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.naming import Names

AUTO_DELETE = "Custom::S3AutoDeleteObjectsCustomResourceProvider"
RESTRICT_DEFAULT_GROUP = "Custom::VpcRestrictDefaultSGCustomResourceProvider"


def adapt_provider(
    scope: Construct,
    log_group_id: str,
    *,
    provider: str,
    names: Names,
    name: str,
    description: str,
    role_description: str,
    statements: Sequence[iam.PolicyStatement] = (),
) -> None:
    """Give the function of a `provider` in this stack our names, tags, log group and a narrow role.

    A stack has one function of each provider. By default it logs to a group that never expires and that
    outlives the stack (pitfall H1).
    """
    function_name = names.qualified(name)
    log_group = create_log_group(scope, log_group_id, name=f"/lambda/{function_name}")
    tags = [{"Key": key, "Value": value} for key, value in names.tags.items()]
    write = allow_log_writes(log_group.log_group_arn)
    document = iam.PolicyDocument(statements=[write, *statements])
    handler, role = (_resource(Stack.of(scope), provider, id_) for id_ in ("Handler", "Role"))
    handler.add_property_override("FunctionName", function_name)
    handler.add_property_override("Description", description)
    handler.add_property_override("LoggingConfig", {"LogGroup": log_group.log_group_name})
    handler.add_property_override("Tags", tags)
    role.add_property_override("RoleName", names.qualified(f"{name}-role"))
    role.add_property_override("Description", role_description)
    role.add_property_deletion_override("ManagedPolicyArns")
    role.add_property_override("Policies", [{"PolicyName": "policy", "PolicyDocument": document}])
    role.add_property_override("Tags", tags)


def _resource(stack: Stack, provider: str, id_: str) -> CfnResource:
    resource = stack.node.find_child(provider).node.find_child(id_)
    if not isinstance(resource, CfnResource):
        raise TypeError(
            f"{resource.node.path} is no longer a CloudFormation resource: see the CDK's release notes"
        )
    return resource
