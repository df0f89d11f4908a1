"""The test-traffic hook: its function, its permissions, its schedule, and that CodeDeploy invokes it."""

from __future__ import annotations

import json
from pathlib import Path

from infrastructure.config.settings import Config
from infrastructure.constructs.traffic_hook.construct import KEEP_ACTIVE
from infrastructure.constructs.traffic_hook.function import handler
from tools.assembly import Resource
from tools.synthesis import defaults
from unit_tests.infrastructure.synthesized import PROJECT, Templates, plain, statements, synthesize

NAME = "test-traffic-hook-dev"
ARN = f"arn:aws:lambda:us-east-1:<AWS::AccountId>:function:{NAME}"


def hook(templates: Templates) -> Resource:
    return templates.only("AWS::Lambda::Function", FunctionName=NAME)


def role(templates: Templates, name: str) -> Resource:
    return templates.only("AWS::IAM::Role", RoleName=name)


def test_the_hook_is_in_the_private_subnets_with_a_security_group_of_its_own(templates: Templates) -> None:
    network = plain(hook(templates).properties["VpcConfig"])
    assert len(network["SubnetIds"]) == 2
    assert all("PrivateSubnet" in subnet for subnet in network["SubnetIds"])
    (group,) = network["SecurityGroupIds"]
    assert "TrafficHookGroup" in group


def test_the_hook_ends_long_before_codedeploy_stops_listening(templates: Templates) -> None:
    """An hour (pitfall N6)."""
    assert hook(templates).properties["Timeout"] == 360


def test_the_hook_knows_what_to_request_and_of_which_service(templates: Templates) -> None:
    given = plain(hook(templates).properties["Environment"]["Variables"])
    url = given.pop("TEST_URL")
    assert url.startswith("http://<")
    assert url.endswith("DNSName>:8080")
    assert json.loads(given.pop("SMOKE_PATHS")) == [
        {"path": "/health", "status": 200},
        {"path": "/", "status": 200},
    ]
    assert given == {
        "CLUSTER": "cluster-dev",
        "SERVICE": "service-dev",
        "CONTAINER_NAME": "app",
        "IMAGE_REPOSITORY": "images-dev",
        "IMAGE_SCAN_THRESHOLD": "CRITICAL",
        "IMAGE_SCAN_EXCEPTIONS": "{}",
        "BREAK_GLASS": "/break-glass-dev/test-traffic-hook",
        "EVENT_SOURCE": NAME,
        "SIGNING_KEYS": "arn:aws:kms:us-east-1:<AWS::AccountId>:alias/signing-key-dev",
    }


def test_the_hook_knows_which_findings_stop_a_release(tmp_path: Path) -> None:
    """Without the reasons: the variables of a function have 4 KB together."""
    exception = {"finding": "CVE-2026-0001", "until": "2026-12-31", "reason": "no XML is read"}
    templates = synthesize(tmp_path, imageScanThreshold="HIGH", imageScanExceptions=[exception])
    given = hook(templates).properties["Environment"]["Variables"]
    assert given["IMAGE_SCAN_THRESHOLD"] == "HIGH"
    assert json.loads(given["IMAGE_SCAN_EXCEPTIONS"]) == {"CVE-2026-0001": "2026-12-31"}


def test_every_service_is_tested_on_its_health_path_or_on_the_paths_of_its_entry() -> None:
    """An API need not have a page at `/` (pitfall N8)."""
    entry = {"healthPath": "/up", "smokePaths": [{"path": "/api/items?page=1"}, {"path": "/", "status": 404}]}
    for services, tested in (
        ({}, [("/health", 200)]),
        ({"orders": {"healthPath": "/up"}}, [("/up", 200)]),
        ({"orders": entry}, [("/api/items?page=1", 200), ("/", 404)]),
    ):
        suffix = "orders-dev" if services else "dev"
        context = {**defaults(), "environmentSuffix": suffix, "services": services}
        found = Config.from_context(context).service.tested_paths
        assert [(each.path, each.status) for each in found] == tested


def test_a_daily_schedule_keeps_the_function_active(templates: Templates) -> None:
    """AWS makes a function Inactive that was idle for 14 days (pitfall N7)."""
    rule = templates.only("AWS::Events::Rule", Name="test-traffic-hook-schedule-dev")
    assert (rule.properties["ScheduleExpression"], rule.properties["State"]) == ("rate(1 day)", "ENABLED")
    assert "EventPattern" not in rule.properties
    assert "Inactive" in rule.properties["Description"]
    (target,) = plain(rule.properties["Targets"])
    assert target["Arn"] == f"<{hook(templates).id}.Arn>"
    assert json.loads(target["Input"]) == KEEP_ACTIVE == handler.KEEP_ACTIVE


def test_only_that_schedule_may_invoke_the_function_by_its_policy(templates: Templates) -> None:
    rule = templates.only("AWS::Events::Rule", Name="test-traffic-hook-schedule-dev")
    permissions = [
        plain(each.properties)
        for each in templates.resources("AWS::Lambda::Permission")
        if plain(each.properties)["FunctionName"] == f"<{hook(templates).id}.Arn>"
    ]
    assert permissions == [
        {
            "Action": "lambda:InvokeFunction",
            "FunctionName": f"<{hook(templates).id}.Arn>",
            "Principal": "events.amazonaws.com",
            "SourceArn": f"<{rule.id}.Arn>",
        }
    ]


def test_the_hook_is_deleted_before_its_role_and_its_log(templates: Templates) -> None:
    group = templates.only("AWS::Logs::LogGroup", LogGroupName=f"/lambda/{NAME}")
    assert plain(hook(templates).properties["LoggingConfig"]) == {"LogGroup": f"<{group.id}>"}
    assert {group.id, role(templates, "test-traffic-hook-role-dev").id} <= hook(templates).depends_on


def test_the_hook_may_read_what_is_released_and_report_and_no_more(templates: Templates) -> None:
    allowed = {
        action: each["Resource"]
        for each in statements(role(templates, "test-traffic-hook-role-dev"))
        if each["Effect"] == "Allow"
        for action in each["Action"]
        if not action.startswith("ec2:")
    }
    here = "us-east-1:<AWS::AccountId>"
    log_group = templates.only("AWS::Logs::LogGroup", LogGroupName=f"/lambda/{NAME}")
    key = templates.only("AWS::KMS::Key", KeyUsage="SIGN_VERIFY")
    assert allowed == {
        "ecs:DescribeServices": [f"arn:aws:ecs:{here}:service/cluster-dev/service-dev"],
        "ecs:DescribeTaskDefinition": ["*"],
        "ecr:DescribeImageScanFindings": [f"arn:aws:ecr:{here}:repository/images-dev"],
        "ssm:GetParameter": [f"arn:aws:ssm:{here}:parameter/break-glass-dev/test-traffic-hook"],
        "events:PutEvents": [f"arn:aws:events:{here}:event-bus/default"],
        "ecr:BatchGetImage": [f"arn:aws:ecr:{here}:repository/images-dev"],
        "ecr:GetDownloadUrlForLayer": [f"arn:aws:ecr:{here}:repository/images-dev"],
        "kms:Verify": [f"<{key.id}.Arn>"],
        "ecs:ListTasks": ["*"],
        "ecs:DescribeTasks": [f"arn:aws:ecs:{here}:task/cluster-dev/*"],
        "codedeploy:PutLifecycleEventHookExecutionStatus": [
            f"arn:aws:codedeploy:{here}:deploymentgroup:application-dev/deployment-group-dev"
        ],
        "logs:CreateLogStream": [f"<{log_group.id}.Arn>"],
        "logs:PutLogEvents": [f"<{log_group.id}.Arn>"],
    }


def test_the_hook_verifies_approvals_if_the_environment_names_approvers(shared: Templates) -> None:
    """What an approver writes in this account, the pipeline of a source cannot (attack G18)."""
    given = plain(hook(shared).properties["Environment"]["Variables"])
    assert given["APPROVED_IMAGE"] == "/approvals-dev/image"
    assert given["APPROVER"] == "arn:aws:sts::<AWS::AccountId>:assumed-role/approver-role-dev"
    # The hook takes the first for the key of the environment's own Build.
    assert given["SIGNING_KEYS"].startswith("arn:aws:kms:us-east-1:<AWS::AccountId>:alias/signing-key-dev,")
    (read,) = [
        each
        for each in statements(role(shared, "test-traffic-hook-role-dev"))
        if each.get("Sid") == "ReadTheApproval"
    ]
    assert (read["Action"], read["Resource"]) == (
        ["ssm:GetParameterHistory"],
        ["arn:aws:ssm:us-east-1:<AWS::AccountId>:parameter/approvals-dev/image"],
    )


def test_no_role_of_the_environment_may_open_break_glass(templates: Templates) -> None:
    allowed = {
        action
        for each in templates.resources("AWS::IAM::Role")
        for statement in statements(each)
        if statement["Effect"] == "Allow" and statement["Sid"] != "RememberWhatWasTold"
        for action in statement["Action"]
    }
    reading = {"ssm:GetParameter", "ssm:GetParameters"}
    assert {action for action in allowed if action.startswith(("ssm:", "*"))} == reading


def test_the_hook_sends_no_events_but_its_own(templates: Templates) -> None:
    (sending,) = [
        each
        for each in statements(role(templates, "test-traffic-hook-role-dev"))
        if "events:PutEvents" in each["Action"]
    ]
    assert plain(sending["Condition"]) == {"StringEquals": {"events:source": NAME}}
    rules = [
        templates.only("AWS::Events::Rule", Name=f"break-glass-{kind}-dev") for kind in ("changed", "events")
    ]
    assert [each.properties["EventPattern"]["source"] for each in rules] == [["aws.ssm", NAME]] * 2


def test_the_hook_may_list_the_tasks_of_its_cluster_only(templates: Templates) -> None:
    (listing,) = [
        each
        for each in statements(role(templates, "test-traffic-hook-role-dev"))
        if "ecs:ListTasks" in each["Action"]
    ]
    cluster = "arn:aws:ecs:us-east-1:<AWS::AccountId>:cluster/cluster-dev"
    assert plain(listing["Condition"]) == {"ArnEquals": {"ecs:cluster": cluster}}


def test_the_code_may_not_use_what_lambda_needs_to_attach_it_to_the_vpc(templates: Templates) -> None:
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
    project = templates.only("AWS::CodeBuild::Project", Name="build-dev").properties
    variables = {each["Name"]: each["Value"] for each in project["Environment"]["EnvironmentVariables"]}
    assert variables["TEST_TRAFFIC_HOOK"] == NAME
    assert "${TEST_TRAFFIC_HOOK}" in (PROJECT / "appspec.yaml").read_text("utf-8")


def test_the_function_is_its_modules_and_nothing_else(tmp_path: Path) -> None:
    """What Python leaves beside them would change the asset, and so the function, at every deploy."""
    templates = synthesize(tmp_path)
    function = hook(templates).properties
    asset = tmp_path / f"asset.{function['Code']['S3Key'].removesuffix('.zip')}"
    files = sorted(str(path.relative_to(asset)) for path in asset.rglob("*") if path.is_file())
    assert files == [
        *("function/approval.py", "function/break_glass.py", "function/handler.py"),
        *("function/image_scan.py", "function/image_signature.py"),
    ]
    source = PROJECT / "infrastructure/constructs/traffic_hook/function/handler.py"
    assert (asset / "function/handler.py").read_text("utf-8") == source.read_text("utf-8")
    assert function["Handler"] == "function.handler.handler"
