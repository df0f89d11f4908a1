"""Templates whose sections and functions do not have CloudFormation's form, with its words."""

from typing import Any

TOPIC: dict[str, Any] = {"Type": "AWS::SNS::Topic"}
FALSE = {"Fn::Equals": ["a", "b"]}


def named(value: Any) -> dict[str, Any]:
    """Return a topic whose name is a value."""
    return {**TOPIC, "Properties": {"DisplayName": value}}


STRUCTURE: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown section": (
        {"Resources": {"T": TOPIC}, "Extra": 1},
        "Invalid template property or properties",
    ),
    "an unknown attribute of a resource": (
        {"Resources": {"T": {**TOPIC, "Extra": 1}}},
        "Invalid template resource property 'Extra'",
    ),
    "a resource without a type": (
        {"Resources": {"T": {"Properties": {}}}},
        "Every Resources object must contain a Type member.",
    ),
    "a name of a resource": ({"Resources": {"T-1": TOPIC}}, "Resource name T-1 is non alphanumeric."),
    "a resource that refers to itself": (
        {"Resources": {"T": named({"Ref": "T"})}},
        "Circular dependency between resources: [T]",
    ),
    "a null": ({"Resources": {"T": named(None)}}, "[/Resources/T/Properties/DisplayName] 'null' values"),
    "a deletion policy": (
        {"Resources": {"T": {**TOPIC, "DeletionPolicy": "Keep"}}},
        "Unrecognized DeletionPolicy Keep for resource T",
    ),
    "a snapshot of a topic": (
        {"Resources": {"T": {**TOPIC, "DeletionPolicy": "Snapshot"}}},
        "resource type AWS::SNS::Topic does not support deletion policy Snapshot",
    ),
    "a version of the format": (
        {"AWSTemplateFormatVersion": "2010-09-10", "Resources": {"T": TOPIC}},
        "2010-09-10 is not a supported value for AWSTemplateFormatVersion.",
    ),
    "a long description": (
        {"Description": "x" * 1025, "Resources": {"T": TOPIC}},
        "'Description' length is greater than 1024.",
    ),
    "too many resources": (
        {"Resources": {f"T{number}": TOPIC for number in range(501)}},
        "Number of resources, 501, is greater than maximum allowed, 500",
    ),
    "an output without a value": (
        {"Resources": {"T": TOPIC}, "Outputs": {"O": {"Description": "x"}}},
        "Every Outputs member must contain a Value object",
    ),
    "an output that is a list": (
        {"Resources": {"T": TOPIC}, "Outputs": {"O": {"Value": ["x"]}}},
        "The Value field of every Outputs member must evaluate to a String.",
    ),
    "a type of a parameter": (
        {"Parameters": {"P": {"Type": "Text", "Default": "x"}}, "Resources": {"T": TOPIC}},
        "Unrecognized parameter type: Text",
    ),
    "conditions that refer to each other": (
        {"Conditions": {"A": {"Condition": "B"}, "B": {"Condition": "A"}}, "Resources": {"T": TOPIC}},
        "Circular dependencies between conditions: [A, B]",
    ),
    "a condition that is no operation": (
        {"Conditions": {"A": {"Fn::Join": ["", ["a"]]}}, "Resources": {"T": TOPIC}},
        "Conditions can only be boolean operations on parameters and other conditions",
    ),
    "Fn::Equals of three": (
        {"Conditions": {"A": {"Fn::Equals": ["a", "b", "c"]}}, "Resources": {"T": TOPIC}},
        "every Fn::Equals object requires a list of 2 string parameters.",
    ),
    "an unknown function": (
        {"Resources": {"T": named({"Fn::Nothing": "a"})}},
        "Encountered unsupported function: Fn::Nothing",
    ),
    "Fn::Join of a text": (
        {"Resources": {"T": named({"Fn::Join": "a"})}},
        "every Fn::Join object requires two parameters",
    ),
    "Fn::Select beyond the end": (
        {"Resources": {"T": named({"Fn::Select": [1, ["a"]]})}},
        "Fn::Select cannot select nonexistent value at index 1",
    ),
    "Fn::Sub of a list": (
        {"Resources": {"T": named({"Fn::Sub": ["a"]})}},
        "One or more Fn::Sub intrinsic functions don't specify expected arguments",
    ),
    "Fn::If of two": (
        {"Conditions": {"No": FALSE}, "Resources": {"T": named({"Fn::If": ["No", "a"]})}},
        "Fn::If requires a list argument with three elements",
    ),
    "a mapping that is not there": (
        {"Resources": {"T": named({"Fn::FindInMap": ["M", "a", "b"]})}},
        "Mapping named 'M' is not present in the 'Mappings' section of template.",
    ),
    "a key that a mapping does not have": (
        {
            "Mappings": {"M": {"a": {"b": "x"}}},
            "Resources": {"T": named({"Fn::FindInMap": ["M", "a", "c"]})},
        },
        "Unable to get mapping for M::a::c",
    ),
}
