"""CloudFormation refuses a template before it creates anything."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.ministack.property_validation import check_properties
from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud
from unit_tests.local_aws.ministack.template_cases import FALSE, STRUCTURE, TOPIC, named

UNRESOLVED = "Unresolved resource dependencies [Nothing] in the {} block of the template"


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "Ref": ({"Resources": {"T": named({"Ref": "Nothing"})}}, UNRESOLVED.format("Resources")),
    "GetAtt": (
        {"Resources": {"T": named({"Fn::GetAtt": ["Nothing", "Arn"]})}},
        "instance of Fn::GetAtt references undefined resource Nothing",
    ),
    "Sub": ({"Resources": {"T": named({"Fn::Sub": "${Nothing}"})}}, UNRESOLVED.format("Resources")),
    "DependsOn": ({"Resources": {"T": {**TOPIC, "DependsOn": "Nothing"}}}, UNRESOLVED.format("Resources")),
    "an output": (
        {"Resources": {"T": TOPIC}, "Outputs": {"O": {"Value": {"Ref": "Nothing"}}}},
        UNRESOLVED.format("Outputs"),
    ),
    "an output of a resource that a condition leaves out": (
        {
            "Conditions": {"No": FALSE},
            "Resources": {"T": TOPIC, "Nothing": {**TOPIC, "Condition": "No"}},
            "Outputs": {"O": {"Value": {"Ref": "Nothing"}}},
        },
        UNRESOLVED.format("Outputs"),
    ),
    "a condition of a resource": (
        {"Resources": {"T": {**TOPIC, "Condition": "Nothing"}}},
        "Unresolved condition dependency Nothing in the Resources block of the template",
    ),
    "a condition of Fn::If": (
        {"Resources": {"T": named({"Fn::If": ["Nothing", "a", "b"]})}},
        "unresolved condition dependency Nothing in Fn::If",
    ),
    "a resource in a condition": (
        {"Conditions": {"C": {"Fn::Equals": [{"Ref": "T"}, "a"]}}, "Resources": {"T": TOPIC}},
        "Cannot reference resources in the Conditions block of the template",
    ),
    "a condition in a condition": (
        {"Conditions": {"C": {"Fn::Not": [{"Condition": "Nothing"}]}}, "Resources": {"T": TOPIC}},
        "Unresolved condition dependency Nothing",
    ),
    **STRUCTURE,
    "a parameter without a value": (
        {"Parameters": {"P": {"Type": "String"}}, "Resources": {"T": TOPIC}},
        "Parameters: [P] must have values",
    ),
}
CASES_OF_VALIDATE_TEMPLATE = {
    key: value for key, value in CASES.items() if "parameter" not in key and "leaves out" not in key
}


def refusal(cloud: Cloud, operation: str, template: dict[str, Any], **more: Any) -> dict[str, Any]:
    call = getattr(cloud.client("cloudformation"), operation)
    with pytest.raises(ClientError) as caught:
        call(TemplateBody=json.dumps(template), **more)
    error: dict[str, Any] = caught.value.response["Error"]
    return error


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("operation", ["create_stack", "create_change_set"])
def test_a_reference_to_nothing_is_refused(cloud: Cloud, operation: str, case: str) -> None:
    template, words = CASES[case]
    more = {"ChangeSetName": "c", "ChangeSetType": "CREATE"} if operation == "create_change_set" else {}
    error = refusal(cloud, operation, template, StackName="never", **more)
    assert error["Code"] == "ValidationError"
    assert words in error["Message"]


@pytest.mark.parametrize("case", CASES_OF_VALIDATE_TEMPLATE)
def test_validate_template_refuses_it_too(cloud: Cloud, case: str) -> None:
    template, words = CASES[case]
    assert words in refusal(cloud, "validate_template", template)["Message"]


def test_what_a_condition_leaves_out_may_be_depended_on_and_named_by_a_branch_not_taken(cloud: Cloud) -> None:
    template = {
        "Conditions": {"No": FALSE},
        "Resources": {
            "Left": {**TOPIC, "Condition": "No"},
            "T": {**named({"Fn::If": ["No", {"Ref": "Left"}, "b"]}), "DependsOn": "Left"},
        },
    }
    assert cloud.create("branches", json.dumps(template)) == "CREATE_COMPLETE"


def test_an_unknown_parameter_is_refused(cloud: Cloud) -> None:
    parameters = [{"ParameterKey": "Typo", "ParameterValue": "v"}]
    template = {"Resources": {"T": TOPIC}}
    error = refusal(cloud, "create_stack", template, StackName="n", Parameters=parameters)
    assert error["Message"] == "Parameter values specified for a template which does not require them."
    template["Parameters"] = {"P": {"Type": "String", "Default": "v"}}
    error = refusal(cloud, "create_stack", template, StackName="n", Parameters=parameters)
    assert error["Message"] == "Parameters: [Typo] do not exist in the template"


@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("/mine", "ValidationError", "Unable to fetch parameters [/mine] from parameter store"),
        ("/aws/service/x", "UnsupportedOperation", "does not have the public parameter /aws/service/x"),
    ],
)
def test_a_parameter_of_parameter_store_must_exist(cloud: Cloud, name: str, code: str, words: str) -> None:
    parameter = {"Type": "AWS::SSM::Parameter::Value<String>", "Default": name}
    template = {"Parameters": {"P": parameter}, "Resources": {"T": TOPIC}}
    error = refusal(cloud, "create_stack", template, StackName="stored")
    assert error["Code"] == code
    assert words in error["Message"]


def test_a_value_and_the_previous_one_exclude_each_other(cloud: Cloud) -> None:
    template = {"Parameters": {"P": {"Type": "String"}}, "Resources": {"T": TOPIC}}
    parameters = [{"ParameterKey": "P", "ParameterValue": "v", "UsePreviousValue": True}]
    error = refusal(cloud, "create_stack", template, StackName="both", Parameters=parameters)
    assert "Cannot specify usePreviousValue as true and non empty value" in error["Message"]


@pytest.mark.parametrize(
    ("name", "capability"), [({}, "CAPABILITY_IAM"), ({"RoleName": "named"}, "CAPABILITY_NAMED_IAM")]
)
def test_a_role_needs_a_capability(cloud: Cloud, name: dict[str, str], capability: str) -> None:
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": TRUST, **name}}
    error = refusal(cloud, "create_stack", {"Resources": {"R": role}}, StackName="incapable")
    assert error["Code"] == "InsufficientCapabilitiesException"
    assert error["Message"] == f"Requires capabilities : [{capability}]"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("AWS::EC2::VPC::Id", "vpc-0123456789abcdef0"),
        ("List<AWS::EC2::Subnet::Id>", "subnet-0123456789abcdef0"),
        ("AWS::EC2::SecurityGroup::Id", "sg-0123456789abcdef0"),
        ("AWS::EC2::AvailabilityZone::Name", "us-east-1z"),
        ("AWS::EC2::KeyPair::KeyName", "nobody"),
    ],
)
def test_a_parameter_of_a_type_of_aws_must_exist(cloud: Cloud, kind: str, value: str) -> None:
    template = {"Parameters": {"P": {"Type": kind, "Default": value}}, "Resources": {"T": TOPIC}}
    name = f"param-{value}"
    assert cloud.create(name, json.dumps(template)) == "ROLLBACK_COMPLETE"
    events = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    words = f"Parameter validation failed: parameter value {value} for parameter name P does not exist"
    assert any(words in event.get("ResourceStatusReason", "") for event in events)
    assert not any(event["ResourceType"] == "AWS::SNS::Topic" for event in events)


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"Type": "AWS::RDS::DBInstance"}, "resource types [AWS::RDS::DBInstance]"),
        ({"Type": "AWS::AutoScaling::AutoScalingGroup"}, "[AWS::AutoScaling::AutoScalingGroup]"),
        ({"Type": "AWS::CertificateManager::Certificate"}, "[AWS::CertificateManager::Certificate]"),
        ({**TOPIC, "CreationPolicy": {"ResourceSignal": {"Count": 1}}}, "CreationPolicy of AWS::SNS::Topic"),
    ],
)
def test_what_aws_has_and_local_aws_has_not_is_refused_by_name(
    cloud: Cloud, resource: dict[str, Any], words: str
) -> None:
    error = refusal(cloud, "create_stack", {"Resources": {"X": resource}}, StackName="unsupported")
    assert error["Code"] == "UnsupportedOperation"
    assert words in error["Message"]


def test_a_stack_policy_is_refused_by_name(cloud: Cloud) -> None:
    policy = {"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
    more = {"StackName": "guarded", "StackPolicyBody": json.dumps(policy)}
    error = refusal(cloud, "create_stack", {"Resources": {"T": TOPIC}}, **more)
    assert error["Code"] == "UnsupportedOperation"


def test_a_change_set_with_a_wrong_property_fails_and_names_it(cloud: Cloud) -> None:
    cloudformation = cloud.client("cloudformation")
    body = json.dumps(
        {"Resources": {"Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": "soon"}}}}
    )
    made = cloudformation.create_change_set(
        StackName="early", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body
    )
    shown = cloudformation.describe_change_set(ChangeSetName=made["Id"])
    assert (shown["Status"], shown["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "[AWS::EarlyValidation::PropertyValidation]" in shown["StatusReason"]
    events = cloudformation.describe_events(ChangeSetName=made["Id"])["OperationEvents"]
    assert [event["ValidationPath"] for event in events] == ["/Resources/Q/Properties/DelaySeconds"]
    assert "expected type: Integer, found: String" in events[0]["ValidationStatusReason"]


def test_a_property_of_another_resource_is_checked_when_it_is_known(cloud: Cloud) -> None:
    template = {
        "Resources": {
            "T": TOPIC,
            "Q": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": {"Ref": "T"}}},
        }
    }
    assert cloud.create("late", json.dumps(template)) == "ROLLBACK_COMPLETE"
    assert "Properties validation failed for resource Q with message:\n#/DelaySeconds: expected type" in (
        cloud.reasons("late")
    )


LISTENER = {
    "LoadBalancerArn": "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/1",
    "DefaultActions": [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
}
OF_STACK = {"Key": "aws:cloudformation:stack-name", "Value": "shop"}


@pytest.mark.parametrize("tags", [[OF_STACK], [OF_STACK, {"Key": "team", "Value": "shop"}]])
def test_a_listener_needs_no_tags_of_its_own(tags: list[dict[str, str]]) -> None:
    check_properties("AWS::ElasticLoadBalancingV2::Listener", "L", {**LISTENER, "Tags": tags})


def test_an_empty_list_of_tags_is_refused_where_the_schema_refuses_it() -> None:
    with pytest.raises(ValueError, match="#/Tags"):
        check_properties("AWS::ElasticLoadBalancingV2::Listener", "L", {**LISTENER, "Tags": []})
