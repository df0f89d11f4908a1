"""Where the listeners point, where they should point, and the repair."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.console import Console

from operations import __main__ as command
from operations import listener_drift
from operations.errors import OperationsError
from operations.waiting import NotYetError
from unit_tests.operations.account_fakes import FakeAccount, refusing

ELB = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
BLUE = f"{ELB}:targetgroup/target-group-blue-dev/1"
GREEN = f"{ELB}:targetgroup/target-group-green-dev/2"
OTHER = f"{ELB}:targetgroup/another/3"
PRODUCTION = f"{ELB}:listener/app/load-balancer-dev/0/https"
TEST = f"{ELB}:listener/app/load-balancer-dev/0/test"


def forward(**weights: int) -> dict[str, Any]:
    arns = {"blue": BLUE, "green": GREEN, "other": OTHER}
    groups = [{"TargetGroupArn": arns[name], "Weight": weight} for name, weight in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


class Environment:
    """A deployed environment after one release: the PRIMARY task set is green."""

    def __init__(self, production: dict[str, Any] | None = None, test: dict[str, Any] | None = None) -> None:
        self.actions = {
            PRODUCTION: [production or forward(green=100, blue=0)],
            TEST: [test or forward(green=100, blue=0)],
        }
        self.primary = GREEN
        self.healthy = 2
        self.running: list[str] = []
        self.account = FakeAccount(
            {
                ("codedeploy", "get_deployment_group"): {"deploymentGroupInfo": self.group()},
                ("codedeploy", "list_deployments"): lambda **_: {"deployments": list(self.running)},
                ("ecs", "describe_services"): lambda **_: {"services": [{"taskSets": self.task_sets()}]},
                ("elbv2", "describe_target_groups"): {
                    "TargetGroups": [
                        {"TargetGroupArn": BLUE, "TargetGroupName": "target-group-blue-dev"},
                        {"TargetGroupArn": GREEN, "TargetGroupName": "target-group-green-dev"},
                    ]
                },
                ("elbv2", "describe_target_health"): lambda **_: {
                    "TargetHealthDescriptions": [{"TargetHealth": {"State": "healthy"}}] * self.healthy
                    + [{"TargetHealth": {"State": "draining"}}]
                },
                ("elbv2", "describe_listeners"): self.describe,
                ("elbv2", "modify_listener"): self.modify,
            }
        )

    def group(self) -> dict[str, Any]:
        pair = {
            "targetGroups": [{"name": "target-group-blue-dev"}, {"name": "target-group-green-dev"}],
            "prodTrafficRoute": {"listenerArns": [PRODUCTION]},
            "testTrafficRoute": {"listenerArns": [TEST]},
        }
        return {
            "deploymentGroupName": "deployment-group-dev",
            "loadBalancerInfo": {"targetGroupPairInfoList": [pair]},
            "ecsServices": [{"clusterName": "cluster-dev", "serviceName": "service-dev"}],
        }

    def task_sets(self) -> list[dict[str, Any]]:
        old = {"id": "ecs-svc/1", "status": "ACTIVE", "loadBalancers": [{"targetGroupArn": BLUE}]}
        new = {"id": "ecs-svc/2", "status": "PRIMARY", "loadBalancers": [{"targetGroupArn": self.primary}]}
        return [old, new]

    def describe(self, ListenerArns: list[str]) -> dict[str, Any]:  # noqa: N803 - AWS's name
        (arn,) = ListenerArns
        port = {PRODUCTION: 443, TEST: 8080}[arn]
        return {"Listeners": [{"Protocol": "HTTPS", "Port": port, "DefaultActions": self.actions[arn]}]}

    def modify(self, ListenerArn: str, DefaultActions: list[Any]) -> dict[str, Any]:  # noqa: N803
        self.actions[ListenerArn] = DefaultActions
        return {}

    def run(self, *arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
        monkeypatch.setattr(command, "Account", lambda: self.account)
        return command.main(["drift", "dev", *arguments])


@pytest.mark.parametrize(
    ("production", "test"),
    [
        (forward(green=100, blue=0), forward(green=100, blue=0)),
        (forward(green=1), forward(green=1)),
        ({"Type": "forward", "TargetGroupArn": GREEN}, forward(green=100, blue=0)),
        # Until the first release, CloudFormation's test listener goes to the group that is idle.
        (forward(green=100, blue=0), forward(blue=1)),
    ],
)
def test_traffic_to_the_primary_task_set_is_no_drift(
    production: dict[str, Any], test: dict[str, Any]
) -> None:
    assert listener_drift.inspect("dev", Environment(production, test).account).drifted == []


@pytest.mark.parametrize(
    "production",
    [
        forward(blue=1),
        forward(green=0, blue=100),
        forward(green=50, blue=50),
        forward(green=99, other=1),
        forward(green=0, blue=0),
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}},
    ],
)
def test_production_traffic_to_any_other_target_is_drift(production: dict[str, Any]) -> None:
    (drifted,) = listener_drift.inspect("dev", Environment(production).account).drifted
    assert (drifted.route, drifted.address) == ("production", "HTTPS:443")


@pytest.mark.parametrize("test", [forward(other=1), forward(green=50, blue=50)])
def test_test_traffic_that_is_split_or_goes_outside_the_pair_is_drift(test: dict[str, Any]) -> None:
    assert [one.route for one in listener_drift.inspect("dev", Environment(test=test).account).drifted] == [
        "test"
    ]


def test_a_repair_points_the_drifted_listener_to_the_primary_group_and_keeps_the_other() -> None:
    deployed = Environment(production=forward(blue=1), test=forward(blue=1))
    said: list[str] = []
    listener_drift.repair(listener_drift.inspect("dev", deployed.account), deployed.account, said.append)
    assert deployed.actions == {PRODUCTION: [forward(blue=0, green=100)], TEST: [forward(blue=1)]}
    assert said == ["pointed the production listener HTTPS:443 to target-group-green-dev"]


def test_a_repair_keeps_the_authentication_before_the_forward_action() -> None:
    sign_in = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {}}
    deployed = Environment()
    deployed.actions[PRODUCTION] = [sign_in, {**forward(blue=1), "Order": 2}]
    listener_drift.repair(listener_drift.inspect("dev", deployed.account), deployed.account, print)
    assert deployed.actions[PRODUCTION] == [sign_in, {**forward(blue=0, green=100), "Order": 2}]


def test_no_traffic_is_sent_to_a_group_without_a_healthy_target() -> None:
    deployed = Environment(production=forward(blue=1))
    deployed.healthy = 0
    with pytest.raises(OperationsError, match="target-group-green-dev has no healthy target"):
        listener_drift.repair(listener_drift.inspect("dev", deployed.account), deployed.account, print)
    assert "modify_listener" not in deployed.account.operations


def test_during_a_deployment_nothing_is_checked() -> None:
    deployed = Environment(production=forward(green=10, blue=90))
    deployed.running = ["d-1"]
    with pytest.raises(OperationsError, match="deployment d-1 is in progress and shifts the traffic"):
        listener_drift.inspect("dev", deployed.account)


def test_a_deployment_that_starts_before_the_repair_prevents_it() -> None:
    deployed = Environment(production=forward(blue=1))
    traffic = listener_drift.inspect("dev", deployed.account)
    deployed.running = ["d-2"]
    with pytest.raises(OperationsError, match="d-2"):
        listener_drift.repair(traffic, deployed.account, print)
    assert "modify_listener" not in deployed.account.operations


def test_a_primary_task_set_outside_the_pair_is_an_error() -> None:
    deployed = Environment()
    deployed.primary = OTHER
    with pytest.raises(OperationsError, match="none of target-group-blue-dev, target-group-green-dev"):
        listener_drift.inspect("dev", deployed.account)


def test_an_environment_that_is_not_deployed_is_an_error() -> None:
    deployed = Environment()
    deployed.account.answers["codedeploy", "get_deployment_group"] = refusing(
        "ApplicationDoesNotExistException"
    )
    deployed.account.answers["sts", "get_caller_identity"] = {"Account": "123456789012"}
    deployed.account.session = type("Session", (), {"region_name": "us-east-1"})
    with pytest.raises(OperationsError, match="no deployment-group-dev in account 123456789012, us-east-1"):
        listener_drift.inspect("dev", deployed.account)


def test_the_report_has_the_target_groups_and_the_primary_task_set() -> None:
    deployed = Environment(production=forward(green=0, blue=100))
    said = io.StringIO()
    listener_drift.print_report(
        listener_drift.inspect("dev", deployed.account), Console(file=said, width=120)
    )
    assert "target-group-blue-dev 100 %" in said.getvalue()
    assert "the PRIMARY task set ecs-svc/2 is behind target-group-green-dev" in said.getvalue()
    assert "2 of 3 targets healthy; 1 listener drifted" in said.getvalue()


def test_the_command_exits_with_0_without_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Environment().run(monkeypatch=monkeypatch) == 0


def test_the_command_exits_with_1_for_drift_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = Environment(production=forward(blue=1))
    assert deployed.run(monkeypatch=monkeypatch) == 1
    assert "modify_listener" not in deployed.account.operations


def test_a_dry_run_of_a_repair_prints_what_it_would_do_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = Environment(production=forward(blue=1))
    assert deployed.run("--repair", "--dry-run", monkeypatch=monkeypatch) == 1
    assert (
        "would point the production listener HTTPS:443 to target-group-green-dev" in capsys.readouterr().out
    )
    assert not [
        name for name in deployed.account.operations if not name.startswith(("describe_", "get_", "list_"))
    ]


@pytest.mark.parametrize(("words", "drifted"), [([], True), (["--repair"], False)])
def test_the_command_prints_json_for_a_program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], drifted: bool
) -> None:
    deployed = Environment(production=forward(blue=1))
    assert deployed.run("--json", *words, monkeypatch=monkeypatch) == int(drifted)
    found = json.loads(capsys.readouterr().out)
    assert (found["target_group"], found["healthy"], found["targets"]) == ("target-group-green-dev", 2, 3)
    assert [each["has_drifted"] for each in found["listeners"]] == [drifted, False]
    assert found["listeners"][0]["shares"]["target-group-blue-dev"] == (100 if drifted else 0)
    does = "pointed the production listener" if words else "drift dev --repair points them"
    assert does in found["messages"][-1]


def test_the_command_exits_with_0_after_the_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = Environment(production=forward(blue=1))
    assert deployed.run("--repair", monkeypatch=monkeypatch) == 0
    assert deployed.actions[PRODUCTION] == [forward(blue=0, green=100)]


def test_the_command_exits_with_2_during_a_deployment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = Environment()
    deployed.running = ["d-1"]
    assert deployed.run("--repair", monkeypatch=monkeypatch) == 2
    assert capsys.readouterr().err.startswith("operations: deployment d-1 is in progress")


def test_with_a_wait_the_command_waits_for_the_end_of_a_deployment(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed = Environment()
    deployed.running = ["d-1"]
    monkeypatch.setattr(listener_drift, "wait_for", after(deployed.running.clear))
    assert deployed.run("--wait", "30", monkeypatch=monkeypatch) == 0


def test_a_wait_that_ends_before_the_deployment_names_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed = Environment()
    deployed.running = ["d-1"]
    assert deployed.run("--wait", "0.0001", monkeypatch=monkeypatch) == 2
    assert "last state: in progress: d-1" in capsys.readouterr().err


def after(first: Callable[[], None]) -> Callable[..., None]:
    """Return a `wait_for` whose check fails, and succeeds after `first`."""

    def wait(_what: str, check: Callable[[], None], **_: float) -> None:
        with pytest.raises(NotYetError, match="d-1"):
            check()
        first()
        check()

    return wait
