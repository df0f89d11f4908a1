"""Rejects templates whose sections do not have CloudFormation's form, in its words.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Template = Mapping[str, Any]

VERSION = "2010-09-09"
SECTIONS = frozenset(
    (
        *("AWSTemplateFormatVersion", "Conditions", "Description", "Hooks", "Mappings", "Metadata"),
        *("Outputs", "Parameters", "Resources", "Rules", "Transform"),
    )
)
OF_RESOURCES = frozenset(
    (
        *("Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Description", "Metadata"),
        *("Properties", "Type", "UpdatePolicy", "UpdateReplacePolicy", "Version"),
    )
)
OF_OUTPUTS = frozenset(("Condition", "Description", "Export", "Value"))
OF_PARAMETERS = frozenset(
    (
        *("AllowedPattern", "AllowedValues", "ConstraintDescription", "Default", "Description"),
        *("MaxLength", "MaxValue", "MinLength", "MinValue", "NoEcho", "Type"),
    )
)
MOST = {"Mappings": 200, "Outputs": 200, "Parameters": 200, "Resources": 500}
LONGEST_DESCRIPTION = 1024
CONDITIONS = frozenset(("Condition", "Fn::And", "Fn::Equals", "Fn::If", "Fn::Not", "Fn::Or"))
POLICIES = ("Delete", "Retain", "RetainExceptOnCreate", "Snapshot")
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
WITH_SNAPSHOTS = re.compile(
    r"AWS::(DocDB|Neptune|RDS)::DB(Cluster|Instance)|AWS::EC2::Volume|AWS::Redshift::Cluster"
    r"|AWS::ElastiCache::(CacheCluster|ReplicationGroup|ServerlessCache)"
)
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
PARAMETER_TYPE = re.compile(
    r"String|Number|CommaDelimitedList|List<(Number|String|AWS::[\w:]+)>|AWS::[\w:]+(<.+>)?"
)


def structure_violation(template: Template) -> str | None:
    """Return CloudFormation's message for the first part that it does not know, or None."""
    return next(_violations(template), None)


def _violations(template: Template) -> Iterator[str]:
    yield from _of_template(template)
    for name, resource in template["Resources"].items():
        yield from _of_resource(str(name), resource)
    for _, definition in _members(template, "Conditions"):
        yield from _of_condition(definition)
    for name, mapping in _members(template, "Mappings"):
        yield from _of_mapping(name, mapping)
    for name, output in _members(template, "Outputs"):
        yield from _of_output(name, output)
    for name, parameter in _members(template, "Parameters"):
        yield from _of_parameter(name, parameter)


def _of_condition(definition: Any) -> Iterator[str]:
    if not isinstance(definition, Mapping) or not definition.keys() <= CONDITIONS or len(definition) != 1:
        yield (
            "Template format error: Conditions can only be boolean operations on parameters and other "
            "conditions"
        )


def _of_mapping(name: str, mapping: Any) -> Iterator[str]:
    if not isinstance(mapping, Mapping) or not all(isinstance(each, Mapping) for each in mapping.values()):
        yield f"Template format error: Every Mappings member must be a map of maps: {name}"


def _members(template: Template, section: str) -> list[tuple[str, Any]]:
    return [(str(name), member) for name, member in (template.get(section) or {}).items()]


def _of_template(template: Template) -> Iterator[str]:
    if unknown := sorted(template.keys() - SECTIONS):
        yield f"Invalid template property or properties [{', '.join(unknown)}]"
    version = str(template.get("AWSTemplateFormatVersion", VERSION))
    if version != VERSION:
        yield f"Template format error: {version} is not a supported value for AWSTemplateFormatVersion."
    description = template.get("Description", "")
    if not isinstance(description, str):
        yield "Template format error: Description must be a string."
    elif len(description) > LONGEST_DESCRIPTION:
        yield f"Template format error: 'Description' length is greater than {LONGEST_DESCRIPTION}."
    for section, most in MOST.items():
        if (number := len(template.get(section) or ())) > most:
            words = f"Number of {section.lower()}, {number}, is greater than maximum allowed, {most}"
            yield f"Template format error: {words}"


def _name(kind: str, name: str) -> Iterator[str]:
    if not re.fullmatch("[A-Za-z0-9]+", name):
        yield f"Template format error: {kind} name {name} is non alphanumeric."


def _unknown(kind: str, given: Mapping[str, Any], known: frozenset[str]) -> Iterator[str]:
    if unknown := sorted(given.keys() - known):
        yield f"Invalid template {kind} property '{unknown[0]}'"


def _of_resource(name: str, resource: Any) -> Iterator[str]:
    yield from _name("Resource", name)
    if not isinstance(resource, Mapping) or not isinstance(resource.get("Type"), str):
        yield "Template format error: Every Resources object must contain a Type member."
        return
    yield from _unknown("resource", resource, OF_RESOURCES)
    if not isinstance(resource.get("Properties") or {}, Mapping):
        yield f"Template format error: [/Resources/{name}/Properties] Properties must be an object."
    yield from _nulls(resource, f"/Resources/{name}")
    condition = resource.get("Condition", "")
    if not isinstance(condition, str):
        yield "Template format error: Every Condition member must be a string."
    yield from _policies(name, resource)


def _policies(name: str, resource: Mapping[str, Any]) -> Iterator[str]:
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(attribute, POLICIES[0])
        if isinstance(policy, str) and policy not in POLICIES:
            yield f"Template format error: Unrecognized {attribute} {policy} for resource {name}"
        if policy == "Snapshot" and not WITH_SNAPSHOTS.fullmatch(resource["Type"]):
            kind = resource["Type"]
            yield f"Template error: resource type {kind} does not support deletion policy Snapshot"


def _nulls(value: Any, path: str) -> Iterator[str]:
    if value is None:
        yield f"[{path}] 'null' values are not allowed in templates"
    parts = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, part in parts:
        yield from _nulls(part, f"{path}/{key}")


def _of_output(name: str, output: Any) -> Iterator[str]:
    yield from _name("Output", name)
    if not isinstance(output, Mapping) or "Value" not in output:
        yield "Template format error: Every Outputs member must contain a Value object"
        return
    yield from _unknown("output", output, OF_OUTPUTS)
    value = output["Value"]
    is_function = isinstance(value, Mapping) and any(_is_function(key) for key in value)
    if not is_function and isinstance(value, Mapping | list):
        yield "Template format error: The Value field of every Outputs member must evaluate to a String."


def _is_function(key: object) -> bool:
    return key in ("Ref", "Condition") or str(key).startswith("Fn::")


def _of_parameter(name: str, parameter: Any) -> Iterator[str]:
    yield from _name("Parameter", name)
    if not isinstance(parameter, Mapping) or "Type" not in parameter:
        yield "Template format error: Every Parameters object must contain a Type member."
        return
    yield from _unknown("parameter", parameter, OF_PARAMETERS)
    if not PARAMETER_TYPE.fullmatch(str(parameter["Type"])):
        yield f"Template format error: Unrecognized parameter type: {parameter['Type']}"
    yield from _of_default(parameter)


def _of_default(parameter: Mapping[str, Any]) -> Iterator[str]:
    if isinstance(parameter.get("Default"), Mapping | list):
        yield "Template format error: Every Default member must be a string."
