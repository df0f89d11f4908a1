"""What docs/cost.md says."""

from __future__ import annotations

from collections import Counter

import pytest

from infrastructure.config.settings import Config
from tools import cost, prices
from tools.assembly import ROOT, Assembly, Template
from tools.synthesis import defaults


def config(**settings: object) -> Config:
    return Config.from_context({**defaults(), **settings})


RESOURCES = Counter({"AWS::EC2::NatGateway": 1, "AWS::KMS::Key": 2, cost.ALARM_METRICS: 7})


def test_a_month_costs_what_the_templates_contain() -> None:
    bill = {line.item: line for line in cost.monthly(config(), RESOURCES)}
    assert bill["NAT gateways"].usd == pytest.approx(730 * 0.045)
    assert bill["public addresses"].count == 3 * 730, "the gateway's, and the load balancer's in each zone"
    assert bill["tasks: CPU"].usd == pytest.approx(2 * 0.25 * 730 * 0.04048)
    assert bill["keys"].usd == 2
    assert bill["alarms"].usd == pytest.approx(0.70)
    assert "the dashboard" in bill


def test_an_alarm_on_metric_math_costs_as_many_alarms_as_it_has_metrics() -> None:
    stat: dict[str, object] = {"MetricStat": {}}
    math = {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {"Metrics": [{"Expression": "a + b"}, stat, stat]},
    }
    plain = {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "a"}}
    assembly = Assembly({ROOT: Template(ROOT, {"Resources": {"Math": math, "Plain": plain}}, 0)})
    assert cost.count_units(assembly)[cost.ALARM_METRICS] == 3


def test_a_second_gateway_costs_its_address_too() -> None:
    def month(gateways: int) -> float:
        counted = RESOURCES | Counter({"AWS::EC2::NatGateway": gateways})
        return sum(line.usd for line in cost.monthly(config(), counted))

    assert month(2) - month(1) == pytest.approx(730 * (0.045 + 0.005))


def test_a_slower_shift_makes_a_release_more_expensive() -> None:
    at_once = config(deploymentConfig="CodeDeployDefault.ECSAllAtOnce")
    slow = config(deploymentConfig="CodeDeployDefault.ECSCanary10Percent15Minutes")
    assert cost.shift_minutes(slow) - cost.shift_minutes(at_once) == 15
    both = [sum(line.usd for line in cost.per_release(one)) for one in (at_once, slow)]
    assert both[0] < both[1]


@pytest.mark.parametrize("name", Config.rules()["deploymentConfig"].words.split("one of ")[1].split(", "))
def test_every_deployment_configuration_has_its_minutes(name: str) -> None:
    assert cost.shift_minutes(config(deploymentConfig=name)) > 0


def test_every_price_has_a_page_of_aws() -> None:
    found = [value for value in vars(prices).values() if isinstance(value, prices.Price)]
    assert len(found) >= 14
    assert all(one.page.endswith("/pricing/") and one.usd > 0 for one in found)
