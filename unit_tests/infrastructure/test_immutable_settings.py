"""The settings that reach properties which are immutable after the first deploy (pitfalls C1, C5, C6)."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.config.settings import Config
from unit_tests.infrastructure.synthesized import PROJECT, Templates, plain, templates_of

IMMUTABLE_TYPES = (
    "AWS::ECS::Service",
    "AWS::ElasticLoadBalancingV2::Listener",
    "AWS::ElasticLoadBalancingV2::TargetGroup",
)
# docs/configuration.md lists them; another environmentSuffix is another environment.
IMMUTABLE = {"desiredCount", "certificateArn", "vpcCidr", "existingVpc"}
MAY_CHANGE = {
    "accessLogs": "true",
    "account": "123456789012",
    "allowHttp": "false",
    "createGithubOidcProvider": "true",
    "deploymentConfig": "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    "deploymentWindow": "* * 9-16 ? * MON-FRI Europe/Vienna",
    "dropSettings": "notificationEmail",
    "flowLogs": "true",
    "freeze": "until 7 January (TICKET-1)",
    "githubBranches": "main",
    "githubEnvironments": "staging",
    "githubOwnerId": "1",
    "githubRepository": "acme/greeter",
    "githubRepositoryId": "2",
    "imageScanExceptions": '[{"finding": "CVE-2026-0001", "until": "2026-12-31", "reason": "no XML"}]',
    "imageScanThreshold": "HIGH",
    "natGateways": "2",
    "notificationChannel": "other",
    "notificationEmail": "team@example.com",
    "promoteTo": "staging@222222222222",
    "requiredApprovals": "2",
    "taskCpu": "1024",
    "taskMemory": "4096",
    "terminationProtection": "true",
    "terminationWaitMinutes": "77",
    "testTrafficCidr": "203.0.113.0/24",
    "promotedFrom": "qa@111111111111",
    "approvers": "arn:aws:iam::222222222222:role/release-managers",
}


def immutable(templates: Templates) -> list[Any]:
    """Return what must not change, with the ids: a changed id replaces the resource."""
    return [
        (each.id, plain(each.properties)) for type_ in IMMUTABLE_TYPES for each in templates.resources(type_)
    ]


@pytest.fixture(scope="module")
def changed() -> Templates:
    return templates_of(**MAY_CHANGE)


def test_every_setting_is_either_immutable_or_may_change() -> None:
    assert {*IMMUTABLE, *MAY_CHANGE, "environmentSuffix"} == set(Config.rules())


def test_what_may_change_reaches_no_immutable_property(templates: Templates, changed: Templates) -> None:
    """CloudFormation updates only what changed, and ECS refuses what it sends (pitfalls C1, C5)."""
    assert immutable(changed) == immutable(templates)
    assert changed.by_part != templates.by_part


def test_a_changed_number_of_tasks_would_reach_the_service(templates: Templates, other: Templates) -> None:
    """Negative control, and why the setting is immutable (pitfall C1)."""
    counts = [each.only("AWS::ECS::Service").properties["DesiredCount"] for each in (templates, other)]
    assert counts[0] != counts[1]


@pytest.mark.parametrize("key", sorted(IMMUTABLE))
def test_the_page_of_settings_says_which_are_immutable(key: str) -> None:
    page = (PROJECT / "docs/configuration.md").read_text("utf-8")
    (_, section) = page.split("## Settings for the first deploy only\n")
    assert f"- `{key}`" in section.partition("\n## ")[0]
