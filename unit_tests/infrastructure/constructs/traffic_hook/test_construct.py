"""The gate before traffic: its function, what it may do, and that CodeDeploy asks it."""

from __future__ import annotations

from pathlib import Path

from tools.assembly import Resource
from unit_tests.infrastructure.synthesized import PROJECT, Templates, plain, statements, synthesize

NAME = "test-traffic-hook-dev"
ARN = f"arn:aws:lambda:us-east-1:<AWS::AccountId>:function:{NAME}"


def hook(templates: Templates) -> Resource:
    return templates.only("AWS::Lambda::Function", FunctionName=NAME)


def role(templates: Templates, name: str) -> Resource:
    return templates.only("AWS::IAM::Role", RoleName=name)


def test_the_hook_stands_in_the_private_subnets_behind_its_own_group(templates: Templates) -> None:
    network = plain(hook(templates).properties["VpcConfig"])
    assert len(network["SubnetIds"]) == 2
    assert all("PrivateSubnet" in subnet for subnet in network["SubnetIds"])
    (group,) = network["SecurityGroupIds"]
    assert "TrafficHookGroup" in group


def test_the_hook_ends_long_before_codedeploy_stops_listening(templates: Templates) -> None:
    """An hour (pitfall N6)."""
    assert hook(templates).properties["Timeout"] == 300


def test_the_hook_is_told_where_to_ask_and_whom(templates: Templates) -> None:
    given = plain(hook(templates).properties["Environment"]["Variables"])
    url = given.pop("TEST_URL")
    assert url.startswith("http://<")
    assert url.endswith("DNSName>:8080")
    assert given == {
        "CLUSTER": "cluster-dev",
        "SERVICE": "service-dev",
        "CONTAINER_NAME": "app",
        "HEALTH_PATH": "/health",
    }


def test_the_hook_is_deleted_before_its_role_and_its_log(templates: Templates) -> None:
    group = templates.only("AWS::Logs::LogGroup", LogGroupName=f"/lambda/{NAME}")
    assert plain(hook(templates).properties["LoggingConfig"]) == {"LogGroup": f"<{group.id}>"}
    assert {group.id, role(templates, "test-traffic-hook-role-dev").id} <= hook(templates).depends_on


def test_the_hook_may_learn_what_is_released_and_report_and_no_more(templates: Templates) -> None:
    allowed = {
        action: each["Resource"]
        for each in statements(role(templates, "test-traffic-hook-role-dev"))
        if each["Effect"] == "Allow"
        for action in each["Action"]
        if not action.startswith("ec2:")
    }
    here = "us-east-1:<AWS::AccountId>"
    log_group = templates.only("AWS::Logs::LogGroup", LogGroupName=f"/lambda/{NAME}")
    assert allowed == {
        "ecs:DescribeServices": [f"arn:aws:ecs:{here}:service/cluster-dev/service-dev"],
        "ecs:DescribeTaskDefinition": ["*"],
        "codedeploy:PutLifecycleEventHookExecutionStatus": [
            f"arn:aws:codedeploy:{here}:deploymentgroup:application-dev/deployment-group-dev"
        ],
        "logs:CreateLogStream": [f"<{log_group.id}.Arn>"],
        "logs:PutLogEvents": [f"<{log_group.id}.Arn>"],
    }


def test_the_code_may_not_use_what_lambda_needs_to_stand_in_the_vpc(templates: Templates) -> None:
    found = list(statements(role(templates, "test-traffic-hook-role-dev")))
    allowed = {action for each in found if each["Effect"] == "Allow" for action in each["Action"]}
    (denied,) = [each for each in found if each["Effect"] == "Deny"]
    assert set(denied["Action"]) == {action for action in allowed if action.startswith("ec2:")}
    assert denied["Resource"] == ["*"]
    assert plain(denied["Condition"]) == {"ArnEquals": {"lambda:SourceFunctionArn": ARN}}


def test_codedeploy_may_invoke_this_function_alone(templates: Templates) -> None:
    (invoke,) = [
        each
        for each in statements(role(templates, "deployment-role-dev"))
        if "lambda:InvokeFunction" in each["Action"]
    ]
    function = f"<{hook(templates).id}.Arn>"
    assert invoke["Resource"] == [function, f"{function}:*"], "and its versions"


def test_the_build_names_the_hook_in_appspec_yaml(templates: Templates) -> None:
    project = templates.only("AWS::CodeBuild::Project").properties
    variables = {each["Name"]: each["Value"] for each in project["Environment"]["EnvironmentVariables"]}
    assert variables["TEST_TRAFFIC_HOOK"] == NAME
    assert "${TEST_TRAFFIC_HOOK}" in (PROJECT / "appspec.yaml").read_text("utf-8")


def test_the_function_is_the_handler_and_nothing_else(tmp_path: Path) -> None:
    """What Python leaves beside the file would change the asset, and so the function, at every deploy."""
    templates = synthesize(tmp_path)
    assets = [path.parent for path in tmp_path.glob("asset.*/handler.py")]
    source = (PROJECT / "infrastructure/constructs/traffic_hook/function/handler.py").read_text("utf-8")
    (ours,) = [folder for folder in assets if (folder / "handler.py").read_text("utf-8") == source]
    assert [path.name for path in ours.iterdir()] == ["handler.py"]
    key = f"{ours.name.removeprefix('asset.')}.zip"
    functions = [each.properties for each in templates.resources("AWS::Lambda::Function", part="pipeline")]
    (function,) = [each for each in functions if each["Code"]["S3Key"] == key]
    assert (function["FunctionName"], function["Handler"]) == (NAME, "handler.handler")
