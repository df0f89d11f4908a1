"""What is read of the output of `cdk diff`, and how a difference of many environments is shown."""

from pathlib import Path

import pytest

from operations.errors import OperationsError
from operations.fleet.differences import KINDS, UNNAMED, Difference, fold, parse
from unit_tests.operations.fleet.fake_cdk import ALARM, NONE, differing

# Of the pinned CLI, against an environment on local_aws.
OUTPUT = (Path(__file__).parent / "excerpts" / "cdk-diff.txt").read_text("utf-8")


def of_kind(kind: str) -> list[str]:
    return [each.text for each in parse(OUTPUT) if each.kind == kind]


def test_each_row_of_iam_is_one_difference_whatever_its_lines() -> None:
    trust, policy = of_kind("IAM")
    assert trust.startswith(
        "+ ${Network/FlowLogRole.Arn} Allow sts:AssumeRole Service:vpc-flow-logs.amazonaws.com"
    )
    assert trust.endswith('"aws:SourceArn": "arn:aws:ec2:us-east-1:${AWS::AccountId}:vpc-flow-log/*" }')
    actions = "logs:CreateLogStream logs:DescribeLogStreams logs:PutLogEvents"
    assert policy == f"+ ${{Network/FlowLogs.Arn}} Allow {actions} AWS:${{Network/FlowLogRole}}"


def test_a_rule_of_a_security_group_is_shown_as_the_cli_says_it() -> None:
    assert of_kind("Security groups") == ["+ ${Network/LoadBalancerGroup.GroupId} In TCP 8080 203.0.113.0/24"]


def test_what_is_replaced_or_deleted_is_shown_with_its_reason() -> None:
    found = {each.text: each.details for each in parse(OUTPUT) if each.kind == "Replaced or deleted"}
    assert len(found) == 8
    assert "[-] AWS::SSM::Parameter Network/Lent-vpc-id destroy" in found
    reason = found["[~] AWS::SNS::Subscription Pipeline/Notifications/Email replace"]
    assert reason[0].endswith("[~] Endpoint (requires replacement)")
    assert [line.split("] ")[-1] for line in reason[1:]] == ["replace-me@example.com", "fleet@team.invalid"]


def test_of_anything_else_only_the_name_is_shown_and_of_a_nested_template_nothing() -> None:
    assert of_kind("Other") == [
        "[~] Custom::SettingsGuard SettingsGuard/Settings",
        "[+] AWS::Logs::LogGroup Network/FlowLogs",
        "[+] AWS::IAM::Role Network/FlowLogRole",
        "[+] AWS::EC2::FlowLog Network/FlowLog/FlowLog",
        "[~] AWS::EC2::SecurityGroup Network/LoadBalancerGroup",
        "[~] AWS::CodeBuild::Project Pipeline/Build/Project",
        "[~] AWS::Lambda::Function Pipeline/TrafficHook/Function",
    ]


def test_a_nested_stack_that_is_deleted_is_shown() -> None:
    gone = "[-] AWS::CloudFormation::Stack Access.NestedStack/Access.NestedStackResource Access1234 destroy\n"
    (found,) = parse(differing(f"Resources\n{gone}"))
    assert found.kind == "Replaced or deleted"


@pytest.mark.parametrize("impact", ["replace", "may be replaced", "destroy", "orphan"])
def test_each_impact_that_the_cli_names_is_kept(impact: str) -> None:
    (found,) = parse(differing(f"Resources\n[~] AWS::EC2::VPC Network/Vpc Vpc123 {impact}\n"))
    assert found == Difference("Replaced or deleted", f"[~] AWS::EC2::VPC Network/Vpc {impact}")


def test_templates_that_differ_in_nothing_named_are_deployed_nevertheless() -> None:
    assert parse(differing("")) == [UNNAMED]
    assert parse(NONE) == []


def test_the_output_of_another_cli_is_no_empty_difference() -> None:
    with pytest.raises(OperationsError, match="printed no number of stacks"):
        parse("Stack Stack\nThere were no differences\n")


def test_the_same_change_of_many_environments_is_shown_once() -> None:
    """It names the environment where the templates do."""
    names = ["dev", "orders-dev", "prod"]
    differences = {
        name: parse(differing(f"{ALARM}[~] AWS::SNS::Topic Pipeline/notifications-{name} A1 replace\n"))
        for name in names
    }
    topic, alarm = fold(differences)
    assert (topic.text, topic.environments) == (
        "[~] AWS::SNS::Topic Pipeline/notifications-SUFFIX replace",
        tuple(names),
    )
    assert (alarm.text, alarm.environments) == (
        "[+] AWS::CloudWatch::Alarm Pipeline/Alarms/New",
        tuple(names),
    )


def test_what_matters_is_shown_first_and_what_only_one_has_apart() -> None:
    found = fold({"dev": parse(OUTPUT), "prod": [*parse(OUTPUT), Difference("IAM", "+ more")]})
    assert [KINDS.index(each.kind) for each in found] == sorted(KINDS.index(each.kind) for each in found)
    more = next(each for each in found if each.text == "+ more")
    assert more.environments == ("prod",)
    assert {each.environments for each in found if each is not more} == {("dev", "prod")}


def test_a_name_that_only_contains_that_of_an_environment_stays() -> None:
    (found,) = fold({"dev": [Difference("Other", "[+] AWS::X device/dev2/x-dev/dev")]})
    assert found.text == "[+] AWS::X device/dev2/x-SUFFIX/SUFFIX"
