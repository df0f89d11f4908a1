"""Rejects a template that refers to what it does not define, with CloudFormation's words.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/troubleshooting.html
The messages: https://github.com/serverless/serverless/issues/4745,
https://github.com/aws-cloudformation/cfn-lint/issues/99
"""

from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.ministack.compat import require

engine = require("services.cloudformation.engine", "_intrinsic_references")

PSEUDO_PARAMETERS = frozenset(
    f"AWS::{name}"
    for name in (
        *("AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId"),
        *("StackName", "URLSuffix"),
    )
)
Template = Mapping[str, Any]


def reference_violation(template: Template, evaluated: Mapping[str, bool]) -> str | None:
    """Return CloudFormation's message for the first reference to nothing, or None.

    `evaluated` are the values of the conditions that are known: what a false one leaves out is nothing.
    """
    return next(_violations(template, evaluated), None)


def _violations(template: Template, evaluated: Mapping[str, bool]) -> Iterator[str]:
    yield from condition_violations(template)
    conditions = (template.get("Conditions") or {}).keys()
    for section in ("Resources", "Outputs"):
        for member in (template.get(section) or {}).values():
            yield from _condition_of(member, conditions, section)
            yield from _conditions_of_functions(member, conditions)
        yield from _in_section(template, section, evaluated)


def condition_violations(template: Template) -> Iterator[str]:
    """Yield a message for each part of the conditions that refers to nothing."""
    parameters = PSEUDO_PARAMETERS | (template.get("Parameters") or {}).keys()
    yield from _in_conditions(template, parameters)
    yield from _circles(template.get("Conditions") or {})


def _circles(conditions: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message for conditions that refer to each other."""
    remaining = {name: set(_named_conditions(definition)) for name, definition in conditions.items()}
    while free := [name for name, needed in remaining.items() if not needed & remaining.keys()]:
        for name in free:
            del remaining[name]
    if remaining:
        names = ", ".join(sorted(remaining))
        yield f"Template format error: Circular dependencies between conditions: [{names}]"


def _in_conditions(template: Template, parameters: frozenset[str]) -> Iterator[str]:
    conditions = template.get("Conditions") or {}
    unknown = sorted({name for name, _ in engine._intrinsic_references(conditions)} - parameters)
    if unknown:
        yield (
            f"Template format error: Unresolved dependencies [{', '.join(unknown)}]. "
            "Cannot reference resources in the Conditions block of the template"
        )
    for definition in conditions.values():
        for name in _named_conditions(definition):
            if name not in conditions:
                yield f"Template format error: Unresolved condition dependency {name} in the Conditions block"


def _named_conditions(definition: Any) -> Iterator[str]:
    """Yield the conditions that a condition refers to as `{"Condition": name}`."""
    if isinstance(definition, list):
        for each in definition:
            yield from _named_conditions(each)
    elif isinstance(definition, Mapping):
        if definition.keys() == {"Condition"}:
            yield str(definition["Condition"])
        for each in definition.values():
            yield from _named_conditions(each)


def _condition_of(member: Any, conditions: Any, section: str) -> Iterator[str]:
    name = member.get("Condition") if isinstance(member, Mapping) else None
    if isinstance(name, str) and name not in conditions:
        yield (
            f"Template format error: Unresolved condition dependency {name} "
            f"in the {section} block of the template"
        )


def _conditions_of_functions(value: Any, conditions: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _conditions_of_functions(each, conditions)
    elif isinstance(value, Mapping):
        arguments = value.get("Fn::If")
        if isinstance(arguments, list) and arguments and arguments[0] not in conditions:
            yield f"Template error: unresolved condition dependency {arguments[0]} in Fn::If"
        for each in value.values():
            yield from _conditions_of_functions(each, conditions)


def _in_section(template: Template, section: str, evaluated: Mapping[str, bool]) -> Iterator[str]:
    resources = template.get("Resources") or {}
    references = _live_references(template.get(section) or {}, evaluated)
    attributes = {name for name, attribute in references if attribute is not None}
    for name in sorted(attributes - resources.keys())[:1]:
        yield f"Template error: instance of Fn::GetAtt references undefined resource {name}"
    known = PSEUDO_PARAMETERS | (template.get("Parameters") or {}).keys() | _created(resources, evaluated)
    unknown = {name for name, _ in references} - known
    if section == "Resources":
        # To depend on what a false condition leaves out is allowed.
        unknown |= _dependencies(resources) - resources.keys()
    if unknown:
        yield (
            f"Template format error: Unresolved resource dependencies [{', '.join(sorted(unknown))}] "
            f"in the {section} block of the template"
        )


def _live_references(
    members: Mapping[str, Any], evaluated: Mapping[str, bool]
) -> list[tuple[str, str | None]]:
    created = [members[name] for name in _created(members, evaluated)]
    return [reference for member in created for reference in _references(member, evaluated)]


def _dependencies(resources: Mapping[str, Any]) -> set[str]:
    return {name for resource in resources.values() for name in _depends_on(resource)}


def _created(members: Mapping[str, Any], evaluated: Mapping[str, bool]) -> set[str]:
    return {
        name
        for name, member in members.items()
        if isinstance(member, Mapping) and evaluated.get(str(member.get("Condition")), True)
    }


def _references(member: Template, evaluated: Mapping[str, bool]) -> Iterator[tuple[str, str | None]]:
    # Neither the metadata nor the description of a resource is evaluated.
    for key in ("Properties", "DeletionPolicy", "UpdateReplacePolicy", "Value", "Export"):
        yield from engine._intrinsic_references(_taken(member.get(key), evaluated))


def _taken(value: Any, evaluated: Mapping[str, bool]) -> Any:
    """Return a value with the branches of each `Fn::If` that its condition takes."""
    if isinstance(value, list):
        return [_taken(each, evaluated) for each in value]
    if not isinstance(value, Mapping):
        return value
    arguments = value.get("Fn::If")
    if isinstance(arguments, list) and len(arguments) == 3 and arguments[0] in evaluated:
        return _taken(arguments[1 if evaluated[arguments[0]] else 2], evaluated)
    return {key: _taken(each, evaluated) for key, each in value.items()}


def _depends_on(member: Any) -> list[str]:
    given = member.get("DependsOn") or [] if isinstance(member, Mapping) else []
    return [given] if isinstance(given, str) else list(given)
