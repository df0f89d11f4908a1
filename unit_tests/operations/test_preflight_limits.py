"""The limits of an account that grow with environments."""

import json
from collections import Counter
from typing import Any

import pytest

from operations import __main__ as command
from operations import preflight
from operations.preflight.check import Subject
from operations.preflight.limits import FAR_LIMITS, LIMITS, MANY
from operations.preflight.quotas import QUOTAS
from tools.assembly import Assembly
from tools.synthesis import environment_contexts, every_option
from unit_tests.assembly_cache import cached_assembly
from unit_tests.operations.account_fakes import FakeAccount
from unit_tests.operations.preflight_account import account_with, errors, findings, quota

NAME = "limits of the account"
# Types whose limit is a quota of its own, with what each needs in operations/preflight/quotas.py.
NETWORK = {
    "AWS::EC2::EIP": "Elastic IP addresses",
    "AWS::EC2::InternetGateway": "internet gateways",
    "AWS::EC2::NatGateway": "NAT gateways in a zone",
    "AWS::EC2::VPC": "VPCs",
    "AWS::ElasticLoadBalancingV2::LoadBalancer": "application load balancers",
}
# Types without a limit of the account: a part of another resource, or limited in it.
WITHOUT_LIMIT = {
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::CloudWatch::Dashboard",
    "AWS::CodeDeploy::DeploymentGroup",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ECS::Service",
    "AWS::ECS::TaskDefinition",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::IAM::OIDCProvider",  # One for all environments of an account (pitfall M3).
    "AWS::KMS::Alias",
    "AWS::Lambda::Function",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Subscription",
    "AWS::SNS::TopicPolicy",
    "AWS::EC2::FlowLog",
    "AWS::EC2::VPCEndpoint",
    "AWS::Lambda::Permission",
    "Custom::S3AutoDeleteObjects",
    "Custom::SettingsGuard",
    "Custom::VpcRestrictDefaultSG",
}


@pytest.fixture(scope="module")
def needed() -> Counter[str]:
    """The most resources of each type in the templates of an environment; the root stack counts."""
    most: Counter[str] = Counter()
    for context in [*environment_contexts().values(), every_option()]:
        assembly = Assembly.read(cached_assembly(context))
        bodies = [template.body["Resources"] for template in assembly.templates.values()]
        found = Counter(resource["Type"] for resources in bodies for resource in resources.values())
        most |= found + Counter({"AWS::CloudFormation::Stack": 1})
    return most


def test_an_environment_needs_what_its_templates_have(needed: Counter[str]) -> None:
    """Update the table in operations/preflight/limits.py (pitfall A5)."""
    assert {limit.name: limit.needed for limit in LIMITS} == {
        limit.name: sum(needed[each] for each in limit.types) for limit in LIMITS
    }
    assert {each: limit.needed for each, limit in FAR_LIMITS.items()} == {
        each: needed[each] for each in FAR_LIMITS
    }


def test_every_type_of_the_templates_has_a_known_limit(needed: Counter[str]) -> None:
    counted = {each for limit in LIMITS for each in limit.types}
    assert set(NETWORK.values()) <= {quota.name for quota in QUOTAS}
    known = [counted, set(FAR_LIMITS), set(NETWORK), WITHOUT_LIMIT]
    assert sum(map(len, known)) == len(set().union(*known)), "a type is in one place"
    assert set(needed) <= set().union(*known), "add it to operations/preflight/limits.py, or here"


def test_a_limit_that_is_not_counted_leaves_room_for_many_environments() -> None:
    assert all(limit.default // limit.needed >= MANY for limit in FAR_LIMITS.values())
    assert all(limit.page.startswith("https://docs.aws.amazon.com/") for limit in FAR_LIMITS.values())


@pytest.mark.usefixtures("left")
def test_the_number_of_further_environments_is_one_line() -> None:
    found = findings()[NAME].found
    assert found == "room for 3 further environments, first reached: VPCs (5 allowed, 1 used, 1 needed)"


@pytest.mark.usefixtures("left")
def test_the_first_limit_that_is_reached_is_named() -> None:
    found = findings({("events", "list_rules"): {"Rules": [{}] * 237}})[NAME].found
    assert found.startswith("room for 2 further environments, first reached: EventBridge rules (300 allowed")


@pytest.mark.usefixtures("left")
def test_running_tasks_leave_less_room_but_do_not_prevent_a_deployment() -> None:
    """The quota of a new account is 6 vCPUs; eleven environments of two small tasks run 5.5 (pitfall A5)."""
    answers = {("cloudwatch", "get_metric_statistics"): {"Datapoints": [{"Maximum": 3.5}]}}
    assert errors(answers) == {}
    assert findings(answers)[NAME].found == (
        "room for 0 further environments, first reached: vCPUs of Fargate (5 allowed, 4 used, 1 needed)"
    )


@pytest.mark.usefixtures("left")
def test_a_deployed_environment_needs_no_more_room_itself() -> None:
    answers = {("cloudformation", "describe_stacks"): {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}}
    (vpcs,) = [room for room in findings(answers)[NAME].details if room.limit == "VPCs"]
    assert (vpcs.needed, vpcs.further) == (0, 4)


@pytest.mark.usefixtures("left")
def test_a_limit_that_is_reached_is_an_error_with_the_command_that_requests_more() -> None:
    answers: dict[tuple[str, str], Any] = {
        ("events", "list_rules"): {"Rules": [{}] * 298},
        ("service-quotas", "get_service_quota"): quota(300.0),
    }
    found = errors(answers)
    assert list(found) == ["EventBridge rules"]
    check = found["EventBridge rules"]
    assert check.found == "300 allowed, 298 used, 21 needed"
    assert check.remedy.endswith("--service-code events --quota-code L-244521F2 --desired-value 319")


@pytest.mark.usefixtures("left")
def test_a_raised_limit_is_read_only_when_the_default_is_too_low() -> None:
    def asked(rules: int) -> list[str]:
        account = account_with(
            {
                ("events", "list_rules"): {"Rules": [{}] * rules},
                ("service-quotas", "get_service_quota"): quota(500.0),
            }
        )
        preflight.inspect(Subject("dev", account))
        return [
            given["ServiceCode"]
            for _, operation, given in account.asked
            if operation == "get_service_quota" and given["ServiceCode"] == "events"
        ]

    assert asked(100) == []
    assert asked(298) == ["events"]


@pytest.mark.usefixtures("left")
def test_json_has_the_room_of_every_limit(capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    account: FakeAccount = account_with({})
    monkeypatch.setattr(command, "Account", lambda *_arguments, **_named: account)
    assert command.main(["preflight", "dev", "--json"]) == 0
    (check,) = [each for each in json.loads(capsys.readouterr().out)["checks"] if each["name"] == NAME]
    rules = {"limit": "EventBridge rules", "allowed": 300, "used": 4, "needed": 21, "further": 13}
    assert rules in check["details"]
    assert {"VPCs", "IAM roles", "CloudFormation stacks"} <= {each["limit"] for each in check["details"]}
