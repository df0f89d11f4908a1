"""Checks the parameters of a stack as CloudFormation does, and that the resources which they name exist."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_aws.ministack.compat import require

RESOLVING_MODULES = ("engine", "handlers", "changesets")
# AWS-specific parameter types -> MiniStack's store of their resources.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
STORES = {
    "AWS::EC2::Instance::Id": "_instances",
    "AWS::EC2::KeyPair::KeyName": "_key_pairs",
    "AWS::EC2::SecurityGroup::Id": "_security_groups",
    "AWS::EC2::Subnet::Id": "_subnets",
    "AWS::EC2::Volume::Id": "_volumes",
    "AWS::EC2::VPC::Id": "_vpcs",
}
TYPE = "AWS::CloudFormation::Stack"
MISSING_VALUE = re.compile(r"SSM parameter '([^']+)' does not exist")
# What a failed update restores, as MiniStack's own validation does.
RESTORED = ("_template", "_resolved_params", "_template_body", "Parameters", "Tags", "Outputs", "_conditions")

ec2 = require("services.ec2", *STORES.values())
responses = require("core.responses", "get_region")
stacks = require("services.cloudformation.stacks", "_add_event", "_fail_property_validation")

Values = Mapping[str, Mapping[str, Any]]


def patch_stack_parameters() -> None:
    """Check the names of parameters wherever MiniStack resolves them, and their values at a deployment."""
    modules = [
        require(f"services.cloudformation.{name}", "_resolve_parameters") for name in RESOLVING_MODULES
    ]
    resolve = _naming(modules[0]._resolve_parameters)
    for module in modules:
        module._resolve_parameters = resolve
    stacks._fail_property_validation = _existing(stacks._fail_property_validation)


def _naming(original: Callable[..., Any]) -> Callable[..., Any]:
    def resolve(template: Mapping[str, Any], provided: list[dict[str, Any]], *rest: Any) -> Any:
        violation = next(_violations(template.get("Parameters") or {}, provided), None)
        if violation is not None:
            raise ValueError(violation)
        try:
            return original(template, provided, *rest)
        except ValueError as error:
            if found := MISSING_VALUE.search(str(error)):
                raise ValueError(_missing_parameter(found[1])) from error
            raise

    return resolve


def _missing_parameter(name: str) -> str:
    """Return why a value of Parameter Store is missing: https://github.com/awslabs/landing-zone-accelerator-on-aws/issues/177."""
    if name.startswith("/aws/service/"):
        return f"local_aws does not have the public parameter {name}"
    return f"Unable to fetch parameters [{name}] from parameter store for this account."


def _violations(defined: Mapping[str, Any], provided: list[dict[str, Any]]) -> Iterator[str]:
    """Yield CloudFormation's words for what is wrong with the parameters of a request.

    https://github.com/aws-samples/amazon-ec2-image-builder-samples/issues/18,
    https://github.com/aws/aws-toolkit-azure-devops/issues/75,
    https://github.com/openedx-unsupported/configuration/issues/1993
    """
    yield from _with_both_values(provided)
    given = {str(each.get("Key")) for each in provided}
    if given and not defined:
        yield "Parameter values specified for a template which does not require them."
    if unknown := sorted(given - defined.keys()):
        yield f"Parameters: [{', '.join(unknown)}] do not exist in the template"
    if missing := [name for name, each in defined.items() if name not in given and "Default" not in each]:
        yield f"Parameters: [{', '.join(missing)}] must have values"


def _with_both_values(provided: list[dict[str, Any]]) -> Iterator[str]:
    for each in provided:
        if each.get("UsePreviousValue") and each.get("Value"):
            yield (
                f"Invalid input for parameter key {each['Key']}. Cannot specify usePreviousValue as true and "
                "non empty value for a parameter"
            )


def _existing(original: Callable[..., bool]) -> Callable[..., bool]:
    def fail(stack: dict[str, Any], stack_id: str, stack_name: str, *rest: Any, **more: Any) -> bool:
        missing = list(missing_values(rest[2]))
        if not missing:
            return original(stack, stack_id, stack_name, *rest, **more)
        reason = f"Parameter validation failed: {', '.join(missing)}. Rollback requested by user."
        _roll_back(stack, stack_id, reason, more.get("previous_stack"))
        return True

    return fail


def missing_values(values: Values) -> list[str]:
    """Return CloudFormation's words for each value of a type of AWS that does not exist.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
    """
    return [
        f"parameter value {each} for parameter name {name} does not exist"
        for name, value in values.items()
        for each in _members(value)
        if not _exists(_single(value), each)
    ]


def _members(value: Mapping[str, Any]) -> list[str]:
    text = str(value["Value"])
    return [each.strip() for each in text.split(",")] if "List<" in str(value.get("Type")) else [text]


def _single(value: Mapping[str, Any]) -> str:
    kind = str(value.get("Type")).removeprefix("AWS::SSM::Parameter::Value<").removeprefix("List<")
    return kind.rstrip(">")


def _exists(kind: str, value: str) -> bool:
    if kind == "AWS::EC2::AvailabilityZone::Name":
        # MiniStack has these three.
        return value in [f"{responses.get_region()}{letter}" for letter in "abc"]
    if kind == "AWS::EC2::SecurityGroup::GroupName":
        return any(group.get("GroupName") == value for group in list(ec2._security_groups.values()))
    return kind not in STORES or value in getattr(ec2, STORES[kind])


def _roll_back(stack: dict[str, Any], stack_id: str, reason: str, previous: Mapping[str, Any] | None) -> None:
    prefix = "" if previous is None else "UPDATE_"
    name = stack["StackName"]
    for status, words in ((f"{prefix}ROLLBACK_IN_PROGRESS", reason), (f"{prefix}ROLLBACK_COMPLETE", "")):
        stacks._add_event(stack_id, name, name, TYPE, status, words, stack_id)
        stack["StackStatus"] = status
    stack["StackStatusReason"] = reason
    for key in RESTORED:
        if previous is not None and key in previous:
            stack[key] = previous[key]
