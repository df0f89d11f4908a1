"""The rule for names: `{type}-{suffix}`, or one of the forms listed here.

A resource without a property for its name has the tag `Name`, which the consoles show as the name.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from aws_cdk import CfnResource, Stack, TagManager

from infrastructure.naming import REGION

# The properties with a physical name, beside `{Type}Name`: Lambda's Function has a FunctionName.
_NAMED_BY = ("name", "family", "group_name", "policy_name", "filter_name", "layer_name")
# What follows the suffix in the names of these types.
_ENDINGS = {
    "AWS::Logs::LogGroup": "(/performance)?",  # Container Insights defines the name (pitfall H3).
    "AWS::S3::Bucket": f"-(<AWS::AccountId>|[0-9]{{12}})-{REGION}",  # Shared by all accounts (pitfall L).
    "AWS::SSM::Parameter": "/[a-z-]+",
}
# Types that have a name property which we do not set.
UNUSED_NAME = {
    # It is referred to by its id, and with a name it could not be replaced (pitfall K5).
    "AWS::EC2::SecurityGroup",
    # Their GroupName is the group of the rule.
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
}
# CloudFormation names a nested stack after the root stack, and copies its tags to its resources: with a tag
# Name, each would have the stack's.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-stack.html
NESTED_STACK = "AWS::CloudFormation::Stack"


def naming_violations(resource: CfnResource, suffix: str) -> Iterator[str]:
    """Yield what is wrong with the name of a resource: its property, else its Name tag."""
    type_ = resource.cfn_resource_type
    attribute = None if type_ in UNUSED_NAME else _attribute(resource)
    yield from _tag_violations(resource, suffix, required=attribute is None)
    if attribute is None:
        return
    name = readable(Stack.of(resource).resolve(getattr(resource, attribute)))
    if not name:
        yield f"has no name: set {attribute} to {{type}}-{suffix}, else AWS makes one that changes"
        return
    if not re.fullmatch(rf"[A-Za-z0-9/_.-]*[A-Za-z0-9]-{re.escape(suffix)}{_ENDINGS.get(type_, '')}", name):
        yield f"is named {name}: a name is {{type}}-{suffix}, or a form of infrastructure/aspects/names.py"


def _tag_violations(resource: CfnResource, suffix: str, *, required: bool) -> Iterator[str]:
    manager = TagManager.of(resource)
    if manager is None:
        return
    name = manager.tag_values().get("Name")
    if resource.cfn_resource_type == NESTED_STACK:
        if name is not None:
            yield "has the tag Name, which CloudFormation would copy to every resource in it"
    elif name is None:
        if required:
            yield f"has no name: give it the tag Name with {{type}}-{suffix}"
    elif not re.fullmatch(rf"[a-z0-9-]*[a-z0-9]-{re.escape(suffix)}", name):
        yield f"has the tag Name {name}: a name is {{type}}-{suffix}"


def _attribute(resource: CfnResource) -> str | None:
    kind = resource.cfn_resource_type.rpartition("::")[2]
    own = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower() + "_name"
    return next((each for each in (own, *_NAMED_BY) if hasattr(type(resource), each)), None)


def readable(value: Any) -> str:
    """Return a name in a template as text; none is empty."""
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(readable(part) for part in parts)
        case None:
            return ""
    return str(value)
