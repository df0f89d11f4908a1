"""Lambda functions: their role's credentials, their VPC, and their log group."""

import json
from typing import Any

from unit_tests.local_aws.cloudformation_cloud import Cloud, Template, template

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
CODE = """
import boto3, urllib.request

def handler(event, context):
    print("called", event["name"])
    return {
        "caller": boto3.client("sts").get_caller_identity()["Arn"],
        "proxies": urllib.request.getproxies(),
        "group": context.log_group_name,
        "left": context.get_remaining_time_in_millis(),
    }
"""
MAY_LOG = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": {"Fn::GetAtt": ["Logs", "Arn"]},
    },
}
NETWORK: dict[str, Template] = {
    "Vpc": {"Type": "AWS::EC2::VPC", "CidrBlock": "10.0.0.0/16"},
    "Subnet": {"Type": "AWS::EC2::Subnet", "VpcId": {"Ref": "Vpc"}, "CidrBlock": "10.0.1.0/24"},
    "Group": {"Type": "AWS::EC2::SecurityGroup", "VpcId": {"Ref": "Vpc"}, "GroupDescription": "a function"},
}


def function(name: str, **more: Any) -> dict[str, Template]:
    """A function with its role and its log group."""
    return {
        "Role": {"Type": "AWS::IAM::Role", "RoleName": f"role-{name}", "AssumeRolePolicyDocument": TRUST},
        "Logs": {"Type": "AWS::Logs::LogGroup", "LogGroupName": f"/lambda/{name}", "RetentionInDays": 30},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "FunctionName": name,
            "Runtime": "python3.14",
            "Handler": "index.handler",
            "Code": {"ZipFile": CODE},
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Timeout": 60,
            "LoggingConfig": {"LogGroup": {"Ref": "Logs"}},
            **more,
        },
    }


def invoke(cloud: Cloud, name: str) -> dict[str, Any]:
    answer = cloud.client("lambda").invoke(FunctionName=name, Payload=json.dumps({"name": name}).encode())
    payload: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, payload
    return payload


def test_a_function_has_its_roles_credentials_and_reaches_load_balancers_by_the_gateway(cloud: Cloud) -> None:
    assert cloud.create("acting", template(**function("acting"))) == "CREATE_COMPLETE"
    payload = invoke(cloud, "acting")
    assert ":assumed-role/role-acting/" in payload["caller"]
    assert payload["proxies"]["http"] == cloud.server.endpoint
    assert "127.0.0.1" in payload["proxies"]["no"]
    assert payload["group"] == "/lambda/acting"
    assert 0 < payload["left"] <= 60_000


def printed(cloud: Cloud, name: str) -> list[str]:
    invoke(cloud, name)
    events = cloud.client("logs").filter_log_events(logGroupName=f"/lambda/{name}")["events"]
    return [event["message"] for event in events]


def test_the_output_of_a_function_is_in_its_log_group(cloud: Cloud) -> None:
    resources = function("printing")
    resources["Role"]["Policies"] = [{"PolicyName": "logs", "PolicyDocument": MAY_LOG}]
    assert cloud.create("printing", template(**resources)) == "CREATE_COMPLETE"
    assert "called printing" in printed(cloud, "printing")


def test_the_output_of_a_function_is_lost_without_its_roles_permission_to_write_it(cloud: Cloud) -> None:
    assert cloud.create("silent", template(**function("silent"))) == "CREATE_COMPLETE"
    assert printed(cloud, "silent") == []


def test_a_late_line_does_not_recreate_a_deleted_log_group(cloud: Cloud) -> None:
    assert cloud.create("late", template(**function("late"))) == "CREATE_COMPLETE"
    logs = cloud.client("logs")
    logs.delete_log_group(logGroupName="/lambda/late")
    invoke(cloud, "late")
    assert logs.describe_log_groups(logGroupNamePrefix="/lambda/late")["logGroups"] == []


def test_the_subnet_and_security_group_of_a_function_cannot_be_deleted(cloud: Cloud) -> None:
    assert cloud.create("network", template(**NETWORK)) == "CREATE_COMPLETE"
    subnet, group = cloud.physical("network", "Subnet"), cloud.physical("network", "Group")
    given = {"SubnetIds": [subnet], "SecurityGroupIds": [group]}
    assert cloud.create("inside", template(**function("inside", VpcConfig=given))) == "CREATE_COMPLETE"
    vpc_config = cloud.client("lambda").get_function_configuration(FunctionName="inside")["VpcConfig"]
    assert vpc_config["VpcId"] == cloud.physical("network", "Vpc")
    assert (vpc_config["SubnetIds"], vpc_config["SecurityGroupIds"]) == ([subnet], [group])
    assert cloud.delete("network") == "DELETE_FAILED"
    assert "(inside)" in cloud.reasons("network")
    assert cloud.delete("inside") == "DELETE_COMPLETE"
    assert cloud.delete("network") == "DELETE_COMPLETE"


def test_a_function_can_leave_its_vpc(cloud: Cloud) -> None:
    assert cloud.create("left", template(**NETWORK)) == "CREATE_COMPLETE"
    given = {"SubnetIds": [cloud.physical("left", "Subnet")], "SecurityGroupIds": []}
    assert cloud.create("leaving", template(**function("leaving", VpcConfig=given))) == "CREATE_COMPLETE"
    assert cloud.update("leaving", template(**function("leaving"))) == "UPDATE_COMPLETE"
    assert not cloud.client("lambda").get_function_configuration(FunctionName="leaving")["VpcConfig"]["VpcId"]


def test_an_unknown_subnet_is_rejected(cloud: Cloud) -> None:
    given = {"SubnetIds": ["subnet-0123456789abcdef0"], "SecurityGroupIds": []}
    assert cloud.create("nowhere", template(**function("nowhere", VpcConfig=given))) == "ROLLBACK_COMPLETE"
    assert "InvalidParameterValueException" in cloud.reasons("nowhere")


def test_a_function_whose_name_is_taken_is_rejected(cloud: Cloud) -> None:
    assert cloud.create("first", template(**function("taken"))) == "CREATE_COMPLETE"
    only = function("taken")["Function"] | {
        "Role": "arn:aws:iam::123456789012:role/role-taken",
        "LoggingConfig": {"LogGroup": "/lambda/taken"},
    }
    assert cloud.create("second", template(Function=only)) == "ROLLBACK_COMPLETE"
    assert "with identifier 'taken' already exists" in cloud.reasons("second")
