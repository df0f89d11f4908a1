"""Wrong calls of Parameter Store."""

import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

NAME = {"Name": "/app/one"}
SEALED = {"Name": "/sealed/one"}
OLD = {"Name": "/old"}
TAGGED = {"ResourceType": "Parameter", "ResourceId": "/app/one"}
MANY_TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
NO_KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000"


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a parameter, one whose key is disabled, and one with all its versions."""
    client, kms = account.client("ssm"), account.client("kms")
    client.put_parameter(**NAME, Value="1", Type="String")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    client.put_parameter(**SEALED, Value="1", Type="SecureString", KeyId=key)
    kms.disable_key(KeyId=key)
    for number in range(100):
        client.put_parameter(**OLD, Value=str(number), Type="String", Overwrite=True)
    client.label_parameter_version(**OLD, ParameterVersion=1, Labels=["first"])
    return {}


VALID: Mapping[str, Mapping[str, Any]] = {
    "AddTagsToResource": {**TAGGED, "Tags": [{"Key": "k", "Value": "v"}]},
    "DeleteParameter": NAME,
    "DeleteParameters": {"Names": ["/app/one"]},
    "DescribeParameters": {},
    "GetParameter": NAME,
    "GetParameterHistory": NAME,
    "GetParameters": {"Names": ["/app/one"]},
    "GetParametersByPath": {"Path": "/app"},
    "ListTagsForResource": TAGGED,
    "PutParameter": {"Name": "/app/new", "Value": "1", "Type": "String"},
    "RemoveTagsFromResource": {**TAGGED, "TagKeys": ["k"]},
}
WRONG = (
    Wrong("Name", "/nope", "ParameterNotFound"),
    Wrong("Name", "/app/one:9", "ParameterVersionNotFound"),
    Wrong("Name", "/app/one", "ParameterAlreadyExists"),
    Wrong("Name", "/a" * 16, "HierarchyLevelLimitExceededException"),
    Wrong("ResourceId", "/nope", "InvalidResourceId"),
    Wrong("ResourceType", "Nope", "InvalidResourceType"),
    Wrong("Tags", MANY_TAGS, "TooManyTagsError"),
    Wrong("AllowedPattern", "(", "InvalidAllowedPatternException"),
    Wrong("AllowedPattern", "[a-z]", "ParameterPatternMismatchException"),
    Wrong("ParameterFilters", [{"Key": "Nope", "Values": ["x"]}], "InvalidFilterKey"),
    Wrong(
        "ParameterFilters", [{"Key": "Type", "Option": "Nope", "Values": ["String"]}], "InvalidFilterOption"
    ),
    Wrong("ParameterFilters", [{"Key": "Type", "Values": ["Nope"]}], "InvalidFilterValue"),
    Wrong("NextToken", "zz", "InvalidNextToken"),
    Wrong("Policies", "zz", "InvalidPolicyAttributeException"),
    Wrong("Policies", json.dumps([{"Type": "Expiration"}] * 11), "PoliciesLimitExceededException"),
    Wrong("Policies", json.dumps([{"Type": "Expiration"}] * 2), "IncompatiblePolicyException"),
    Wrong("Policies", '[{"Type": "Nope"}]', "InvalidPolicyTypeException"),
)
READ = {"WithDecryption": True}
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("GetParameter", {**SEALED, **READ}, "InvalidKeyId"),
    ("GetParameterHistory", {**SEALED, **READ}, "InvalidKeyId"),
    ("GetParameters", {"Names": ["/sealed/one"], **READ}, "InvalidKeyId"),
    ("GetParametersByPath", {"Path": "/sealed", **READ}, "InvalidKeyId"),
    ("PutParameter", {**OLD, "Overwrite": True}, "ParameterMaxVersionLimitExceeded"),
    ("PutParameter", {**NAME, "Overwrite": True, "Type": "StringList"}, "HierarchyTypeMismatchException"),
    ("PutParameter", {"Type": "SecureString", "KeyId": NO_KEY}, "InvalidKeyId"),
)
SUITE = Suite("ssm", tuple(VALID), VALID, WRONG, CHANGES, prepare, invalid="ValidationException")
