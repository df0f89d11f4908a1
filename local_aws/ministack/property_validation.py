"""Validates the properties of resources against their types' schemas, before a deployment and in it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/validate-stack-deployments.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.core.resource_schemas import pointer, violations
from local_aws.core.schema_keywords import Unresolved
from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_stacks")
engine = require("services.cloudformation.engine", "_NO_VALUE", "_intrinsic_references", "_resolve_refs")
stacks = require("services.cloudformation.stacks", "_validation_errors")

# Known when the resource is created.
LATE = ("Fn::ImportValue", "Fn::GetStackOutput", "Fn::Transform")
Resources = Mapping[str, Mapping[str, Any]]
# Logical id, type, validation, path, reason.
ValidationError = tuple[str, str, str, str, str]


def patch_pre_deployment_validation() -> None:
    """Validate all properties that are known before a root stack is created or updated.

    A nested stack's are validated when its resources are created, so that its events name the resource.
    """
    original = stacks._validation_errors

    def validation_errors(
        resources: Resources,
        ordered: list[str],
        parameters: Mapping[str, Any],
        conditions: Mapping[str, bool],
        mappings: Mapping[str, Any],
        stack_name: str,
        *rest: Any,
    ) -> list[ValidationError]:
        found: list[ValidationError] = original(
            resources, ordered, parameters, conditions, mappings, stack_name, *rest
        )
        if cloudformation._stacks.get(stack_name, {}).get("ParentId"):
            return found

        def resolve(value: Any) -> Any:
            return engine._resolve_refs(value, {}, parameters, conditions, mappings, stack_name, rest[0])

        return found + property_errors({name: resources[name] for name in ordered}, conditions, resolve)

    stacks._validation_errors = validation_errors


def property_errors(
    resources: Resources,
    conditions: Mapping[str, bool],
    resolve: Callable[[Any], Any],
    of_template: Resources | None = None,
) -> list[ValidationError]:
    """Return what violates the schemas in the properties of `resources`.

    `resolve` evaluates the functions of a template that refer to none of the resources `of_template`, which
    are the same if they are not given.
    """
    return [
        (
            logical_id,
            str(resource["Type"]),
            "PROPERTY_VALIDATION",
            "/".join(["", "Resources", logical_id, "Properties", *violation.path]),
            violation.reason,
        )
        for logical_id, resource in resources.items()
        if conditions.get(resource.get("Condition", ""), True)
        for violation in violations(
            str(resource.get("Type")),
            known_properties(resource.get("Properties") or {}, of_template or resources, conditions, resolve),
        )
    ]


def known_properties(
    properties: Properties,
    resources: Resources,
    conditions: Mapping[str, bool],
    resolve: Callable[[Any], Any],
) -> Properties:
    """Return the properties with `Unresolved` for what another resource decides."""

    try:
        found = resolve(_Known(resources, conditions).of(properties))
    except ValueError:
        # The creation of the resource reports it.
        return {}
    return {key: each for key, each in found.items() if each is not engine._NO_VALUE}


@dataclass(frozen=True)
class _Known:
    """What is known of the values of a template before its resources exist."""

    resources: Resources
    conditions: Mapping[str, bool]

    def of(self, value: Any) -> Any:
        """Return a value with `Unresolved` for each function that another resource decides."""
        if isinstance(value, list):
            return [self.of(each) for each in value]
        if isinstance(value, str) and "{{resolve:" in value:
            return Unresolved()
        if not isinstance(value, Mapping):
            return value
        name = next(iter(value), "") if len(value) == 1 else ""
        if name == "Ref" or name.startswith("Fn::"):
            return self._of_function(name, value)
        return {key: self.of(each) for key, each in value.items()}

    def _of_function(self, name: str, value: Mapping[str, Any]) -> Any:
        if name == "Fn::If":
            condition, if_true, if_false = value[name]
            return self.of(if_true if self.conditions.get(condition) else if_false)
        refers = any(name in self.resources for name, _ in engine._intrinsic_references(value))
        return Unresolved() if name in LATE or refers else value


def check_properties(resource_type: str, logical_id: str, properties: Properties) -> None:
    """Raise ValueError if the properties of a resource violate its type's schema.

    The words: https://github.com/aws-cloudformation/iac-model-evaluation/issues/29,
    https://github.com/aws-cloudformation/cloudformation-resource-schema/issues/127
    """
    found = violations(resource_type, _without_system_tags(properties))
    lines = "\n".join(f"{pointer(each.path)}: {each.message}" for each in found)
    if any(each.is_structural for each in found):
        raise ValueError(f"Properties validation failed for resource {logical_id} with message:\n{lines}")
    if found:
        raise ValueError(f"Model validation failed ({lines})")


def _without_system_tags(properties: Properties) -> Properties:
    """Leave out the tags that CloudFormation adds itself, whose keys no template may use.

    A resource without tags of its own has no property for them: some schemas refuse an empty list.
    """
    own = _user_tags(properties.get("Tags"))
    given = {key: value for key, value in properties.items() if key != "Tags" or own or not value}
    return given | ({"Tags": own} if own else {})


def _user_tags(tags: Any) -> Any:
    if isinstance(tags, Mapping):
        return {key: value for key, value in tags.items() if not str(key).startswith("aws:")}
    if not isinstance(tags, list):
        return tags
    return [tag for tag in tags if not (isinstance(tag, Mapping) and str(tag.get("Key")).startswith("aws:"))]
