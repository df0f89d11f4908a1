"""Conditions of templates evaluate Fn::Join."""

import json
from typing import Any

import pytest

from local_aws.ministack.conditions import join
from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud, template

PARAMETERS = {
    "List": {"Value": "a, b", "Type": "CommaDelimitedList"},
    "Empty": {"Value": "", "Type": "CommaDelimitedList"},
    "Text": {"Value": "a,b", "Type": "String"},
}
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ({"Ref": "List"}, "a-b"),
        ({"Ref": "Empty"}, ""),
        ([{"Ref": "Text"}, "c"], "a,b-c"),
        ([{"Fn::Join": ["", ["a", "b"]]}, "c"], "ab-c"),
    ],
)
def test_a_join_is_replaced_by_its_text(items: Any, text: str) -> None:
    condition = {"Fn::Not": [{"Fn::Equals": ["", {"Fn::Join": ["-", items]}]}]}
    assert join(condition, PARAMETERS) == {"Fn::Not": [{"Fn::Equals": ["", text]}]}


def test_an_empty_list_of_policies_leaves_the_default_of_the_template(cloud: Cloud) -> None:
    """As in the CDK's bootstrap template."""
    given = {"Fn::Not": [{"Fn::Equals": ["", {"Fn::Join": ["", {"Ref": "Policies"}]}]}]}
    policies = {"Fn::If": ["Given", {"Ref": "Policies"}, [ADMINISTRATOR]]}
    role = {
        "Type": "AWS::IAM::Role",
        "RoleName": "bootstrapped",
        "AssumeRolePolicyDocument": TRUST,
        "ManagedPolicyArns": policies,
    }
    parameters = {"Policies": {"Type": "CommaDelimitedList", "Default": ""}}
    body = template(None, parameters, Role=role)
    whole = {**json.loads(body), "Conditions": {"Given": given}}
    assert cloud.create("conditional", json.dumps(whole)) == "CREATE_COMPLETE"
    found = cloud.client("iam").list_attached_role_policies(RoleName="bootstrapped")["AttachedPolicies"]
    assert [each["PolicyArn"] for each in found] == [ADMINISTRATOR]
