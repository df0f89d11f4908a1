"""Rejects templates that CloudFormation rejects before it starts, and MiniStack later or never."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.supported_types import type_violation
from local_aws.ministack.template_functions import function_violation
from local_aws.ministack.template_references import reference_violation
from local_aws.ministack.template_structure import structure_violation

VALIDATING_MODULES = ("engine", "handlers", "changesets")
engine = require(
    "services.cloudformation.engine",
    "_intrinsic_references",
    "_topological_sort",
    "validate_template_support",
)


def patch_template_validation() -> None:
    """Check a template wherever MiniStack validates one: stacks, change sets, nested stacks."""
    checked = _checked(engine.validate_template_support)
    for name in VALIDATING_MODULES:
        module = require(f"services.cloudformation.{name}", "validate_template_support")
        module.validate_template_support = checked


def _checked(original: Callable[..., None]) -> Callable[..., None]:
    def validate(template: dict[str, Any], conditions: dict[str, Any], params: Any = None) -> None:
        # pitfall K2, https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
        if not template.get("Resources"):
            raise ValueError("Template format error: At least one Resources member must be defined.")
        for violation in _violations(template, conditions):
            if violation is not None:
                raise ValueError(violation)
        original(template, conditions, params=params)
        _check_cycles(template["Resources"], conditions)

    return validate


def _violations(template: dict[str, Any], conditions: dict[str, Any]) -> Iterator[str | None]:
    if template.get("Transform"):
        # A macro can rewrite all of it.
        return
    yield structure_violation(template)
    yield function_violation(template)
    yield reference_violation(template, conditions)
    resources = [
        resource
        for resource in template["Resources"].values()
        if isinstance(resource, Mapping) and conditions.get(str(resource.get("Condition")), True)
    ]
    yield type_violation(resources)
    yield from map(_creation_policy_violation, resources)


def _creation_policy_violation(resource: Mapping[str, Any]) -> str | None:
    """Refuse to wait for signals of a resource that has nothing to send them."""
    if "CreationPolicy" not in resource or resource.get("Type") == "AWS::CloudFormation::WaitCondition":
        return None
    return f"local_aws does not support CreationPolicy of {resource.get('Type')}"


def _check_cycles(resources: dict[str, Any], conditions: dict[str, Any]) -> None:
    """Reject resources that depend on each other (pitfall K1).

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
    """
    for name, resource in resources.items():
        # MiniStack takes it for a reference to nothing.
        if name in {found for found, _ in engine._intrinsic_references(resource)}:
            raise ValueError(f"Circular dependency between resources: [{name}]")
    try:
        engine._topological_sort(resources, conditions)
    except ValueError as error:
        _, found, names = str(error).partition("Circular dependency detected among resources: ")
        if not found:
            raise
        raise ValueError(f"Circular dependency between resources: [{names}]") from error
