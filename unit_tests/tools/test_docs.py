"""What docs/cost.md and the drawings of docs/architecture.md are written from."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from infrastructure.config.settings import Config
from tools import cost, diagram, prices
from tools.assembly import defaults, synthesize


def config(**settings: object) -> Config:
    return Config.from_context({**defaults(), **settings})


RESOURCES = Counter({"AWS::EC2::NatGateway": 1, "AWS::KMS::Key": 2, "AWS::CloudWatch::Alarm": 7})


def test_a_month_costs_what_stands_in_the_templates() -> None:
    bill = {line.what: line for line in cost.monthly(config(), RESOURCES)}
    assert bill["NAT gateways"].usd == pytest.approx(730 * 0.045)
    assert bill["public addresses"].count == 3 * 730, "the gateway's, and the load balancer's in each zone"
    assert bill["tasks: CPU"].usd == pytest.approx(2 * 0.25 * 730 * 0.04048)
    assert bill["keys"].usd == 2
    assert "the dashboard" in bill


def test_a_second_gateway_costs_its_address_too() -> None:
    def month(gateways: int) -> float:
        counted = RESOURCES | Counter({"AWS::EC2::NatGateway": gateways})
        return sum(line.usd for line in cost.monthly(config(), counted))

    assert month(2) - month(1) == pytest.approx(730 * (0.045 + 0.005))


def test_a_slower_shift_makes_a_release_dearer() -> None:
    at_once = config(deploymentConfig="CodeDeployDefault.ECSAllAtOnce")
    slow = config(deploymentConfig="CodeDeployDefault.ECSCanary10Percent15Minutes")
    assert cost.shift_minutes(slow) - cost.shift_minutes(at_once) == 15
    both = [sum(line.usd for line in cost.per_release(one)) for one in (at_once, slow)]
    assert both[0] < both[1]


@pytest.mark.parametrize("name", Config.rules()["deploymentConfig"].words.split("one of ")[1].split(", "))
def test_every_way_to_shift_has_its_minutes(name: str) -> None:
    assert cost.shift_minutes(config(deploymentConfig=name)) > 0


def test_every_price_names_awss_page() -> None:
    found = [value for value in vars(prices).values() if isinstance(value, prices.Price)]
    assert len(found) >= 14
    assert all(one.page.endswith("/pricing/") and one.usd > 0 for one in found)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder: Path = tmp_path_factory.mktemp("cdk.out")
    synthesize(defaults(), folder)
    return diagram.drawings(folder)


@pytest.mark.parametrize(
    ("stack", "start", "word", "end"),
    [
        ("Network", "Listener Production", "forwards to", "Target group Blue"),
        ("Network", "Subnets Private", "goes out by", "NAT gateway"),
        ("Network", "Subnets Public", "goes out by", "Internet gateway"),
        ("Compute", "Service", "is first behind", "Target group Blue"),
        ("Compute", "First task definition", "pulls from", "Image repository"),
        ("Pipeline", "Pipeline", "takes from", "CodeCommit repository"),
        ("Pipeline", "Pipeline", "starts", "Deployment group"),
        ("Pipeline", "Build project", "pushes to", "Image repository"),
        ("Pipeline", "Deployment group", "replaces tasks of", "Service"),
        ("Pipeline", "Deployment group", "moves", "Listener Production"),
        ("Pipeline", "Deployment group", "chooses", "Target group Green"),
        ("Pipeline", "Rules", "start and watch", "Pipeline"),
        ("Pipeline", "Rules", "tell", "Topic"),
    ],
)
def test_what_refers_to_what_is_an_arrow_across_stacks_too(
    drawn: str, stack: str, start: str, word: str, end: str
) -> None:
    part = _drawing(drawn, stack)
    boxes = {label: name for name, label in _boxes(part).items()}
    assert f"  {boxes[start]} -->|{word}| {boxes[end]}\n" in part


@pytest.mark.parametrize("stack", diagram.DRAWINGS)
def test_every_arrow_has_a_word_and_no_box_stands_alone(drawn: str, stack: str) -> None:
    """But for the CDK's own function, to which nothing of ours refers."""
    part = _drawing(drawn, stack)
    assert "--> " not in part
    alone = {label for name, label in _boxes(part).items() if len(re.findall(rf"\b{name}\b", part)) == 1}
    assert alone <= {"Function of the CDK's"}


def _drawing(drawn: str, stack: str) -> str:
    return drawn.partition(f"### {stack}")[2].partition("###")[0]


def _boxes(part: str) -> dict[str, str]:
    return dict(re.findall(r'^  (\w+)\W+"([^"]+)"', part, re.M))


def test_a_drawing_stays_readable(drawn: str) -> None:
    for part in drawn.split("### ")[1:]:
        assert part.count('"') // 2 <= 20, "boxes"
        assert part.count("-->") <= 30, "arrows"
