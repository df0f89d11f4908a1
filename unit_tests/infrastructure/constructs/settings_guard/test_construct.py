"""The settings guard: what it is given, what it may do, and that everything else comes after it."""

from __future__ import annotations

from pathlib import Path

from unit_tests.infrastructure.synthesized import (
    PROJECT,
    Templates,
    plain,
    role,
    statements,
    synthesize,
    templates_of,
)

NAME = "settings-guard-dev"
TYPE = "Custom::SettingsGuard"


def test_the_guard_has_the_optional_settings_that_are_given(templates: Templates) -> None:
    """pitfall C11"""
    assert templates.only(TYPE).properties["Settings"] == {}
    sources = ["qa@111111111111", "test@222222222222"]
    given = templates_of(notificationEmail="ops@acme.org", promotedFrom=sources)
    assert given.only(TYPE).properties["Settings"] == {
        "notificationEmail": "ops@acme.org",
        "promotedFrom": "qa@111111111111,test@222222222222",
    }


def test_the_guard_has_the_settings_that_may_be_dropped() -> None:
    given = templates_of(dropSettings="notificationEmail,certificateArn")
    assert given.only(TYPE).properties["DropSettings"] == ["notificationEmail", "certificateArn"]


def test_every_nested_stack_is_created_and_updated_after_the_guard(shared: Templates) -> None:
    """CloudFormation updates nothing else while the guard may still fail."""
    nested = shared.resources("AWS::CloudFormation::Stack")
    assert len(nested) == 4
    assert all(shared.only(TYPE).id in each.depends_on for each in nested)


def test_the_function_is_in_no_vpc_and_ends_before_cloudformation_stops_waiting(templates: Templates) -> None:
    function = templates.only("AWS::Lambda::Function", FunctionName=NAME).properties
    assert "VpcConfig" not in function
    # Three invocations, and three minutes between them.
    assert int(templates.only(TYPE).properties["ServiceTimeout"]) > 3 * function["Timeout"] + 180


def test_the_guard_is_deleted_before_its_function_and_that_before_its_role_and_log(
    templates: Templates,
) -> None:
    function = templates.only("AWS::Lambda::Function", FunctionName=NAME)
    group = templates.only("AWS::Logs::LogGroup", LogGroupName=f"/lambda/{NAME}")
    assert function.id in templates.only(TYPE).depends_on
    assert {group.id, role(templates, "settings-guard-role-dev").id} <= function.depends_on


def test_the_function_may_read_the_status_of_its_own_stack_and_no_more(templates: Templates) -> None:
    group = templates.only("AWS::Logs::LogGroup", LogGroupName=f"/lambda/{NAME}")
    assert {
        action: each["Resource"]
        for each in statements(role(templates, "settings-guard-role-dev"))
        for action in each["Action"]
    } == {
        "cloudformation:DescribeStacks": [
            "arn:aws:cloudformation:us-east-1:<AWS::AccountId>:stack/stack-dev/*"
        ],
        "logs:CreateLogStream": [f"<{group.id}.Arn>"],
        "logs:PutLogEvents": [f"<{group.id}.Arn>"],
    }


def test_the_function_is_the_handler_and_nothing_else(tmp_path: Path) -> None:
    """What Python leaves beside the file would change the asset, and so the function, at every deploy."""
    function = synthesize(tmp_path).only("AWS::Lambda::Function", FunctionName=NAME).properties
    folder = tmp_path / f"asset.{function['Code']['S3Key'].removesuffix('.zip')}"
    assert [path.name for path in folder.iterdir()] == ["handler.py"]
    source = PROJECT / "infrastructure/constructs/settings_guard/function/handler.py"
    assert (folder / "handler.py").read_bytes() == source.read_bytes()
    assert plain(function["Handler"]) == "handler.handler"
