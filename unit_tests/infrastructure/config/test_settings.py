"""The context keys: which values are valid, and how others are rejected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infrastructure.config.account_options import Promotion
from infrastructure.config.context_key import ConfigError
from infrastructure.config.network_options import EXISTING_VPC
from infrastructure.config.settings import Config
from unit_tests.infrastructure.synthesized import PROJECT, SHARED, context

BAD_SUFFIXES = [
    None,
    "",
    " ",
    "Dev",
    "PROD",
    "1dev",
    "42",
    "-dev",
    "dev-",
    "de--v",
    "dev_1",
    "dev.1",
    "dev 1",
    "dev\n",
    "dév",
    "abcdefghijklm",
    7,
    True,
    ["dev"],
]

UUID = "12345678-1234-1234-1234-123456789012"
EXISTING = json.loads(EXISTING_VPC)

BAD_VALUES = [
    ("account", "12345678901"),
    ("account", "1234567890123"),
    ("account", "1234-5678-9012"),
    ("account", 123456789012),
    ("account", ""),
    ("notificationEmail", "team"),
    ("notificationEmail", "team@"),
    ("notificationEmail", "@example.com"),
    ("notificationEmail", "team@example"),
    ("notificationEmail", "a b@example.com"),
    ("notificationEmail", "a@example.com,b@example.com"),
    ("notificationEmail", ""),
    *(("notificationChannel", value) for value in ("slack", "Email", "")),
    *(("deploymentWindow", value) for value in ("* * 9-16 ? * MON-FRI", "9-16 ? * * UTC", "")),
    *(("freeze", value) for value in ('until "7"', True, "")),
    *(("imageScanThreshold", value) for value in ("critical", "LOW", "", True)),
    *(("imageScanExceptions", value) for value in ([], "CVE-2026-0001", [{"finding": "CVE-2026-0001"}])),
    ("allowHttp", "yes"),
    ("allowHttp", 1),
    ("allowHttp", ""),
    ("certificateArn", "12345678-1234-1234-1234-123456789012"),
    ("certificateArn", f"arn:aws:acm:eu-west-1:123456789012:certificate/{UUID}"),
    ("certificateArn", f"arn:aws:iam::123456789012:server-certificate/{UUID}"),
    ("certificateArn", f"arn:aws:acm:us-east-1:1234:certificate/{UUID}"),
    ("certificateArn", ""),
    ("testTrafficCidr", "0.0.0.0/0"),
    ("testTrafficCidr", "203.0.113.7"),
    ("testTrafficCidr", "203.0.113.7/24"),
    ("testTrafficCidr", "2001:db8::/32"),
    ("testTrafficCidr", "everywhere"),
    ("deploymentConfig", "ECSAllAtOnce"),
    ("deploymentConfig", "CodeDeployDefault.OneAtATime"),
    ("deploymentConfig", "CodeDeployDefault.LambdaCanary10Percent5Minutes"),
    ("desiredCount", 0),
    ("desiredCount", "two"),
    ("desiredCount", 101),
    ("desiredCount", -1),
    ("desiredCount", 1.5),
    ("desiredCount", True),
    ("taskCpu", 300),
    ("taskCpu", "0.25"),
    ("taskCpu", ""),
    ("taskMemory", 511),
    ("taskMemory", 513),
    ("taskMemory", "1 GB"),
    ("taskMemory", 4096),
    ("terminationWaitMinutes", 0),
    ("terminationWaitMinutes", 2881),
    ("terminationWaitMinutes", "5m"),
    ("natGateways", 0),
    ("natGateways", 3),
    ("natGateways", "none"),
    ("vpcCidr", "10.0.0.0/15"),
    ("vpcCidr", "10.0.0.0/25"),
    ("vpcCidr", "10.0.1.0/16"),
    ("vpcCidr", "8.8.0.0/16"),
    ("vpcCidr", "10.0.0.0"),
    ("vpcCidr", ""),
    ("existingVpc", ""),
    ("existingVpc", "vpc-0123456789abcdef0"),
    ("existingVpc", []),
    ("existingVpc", {"vpcId": "vpc-0123456789abcdef0"}),
    ("existingVpc", EXISTING | {"vpcId": "vpc-1"}),
    ("existingVpc", EXISTING | {"vpcId": ["vpc-0123456789abcdef0"]}),
    ("existingVpc", EXISTING | {"publicSubnetIds": ["subnet-0123456789abcdef0"]}),
    ("existingVpc", EXISTING | {"publicSubnetIds": "subnet-0123456789abcdef0"}),
    ("existingVpc", EXISTING | {"privateSubnetIds": EXISTING["publicSubnetIds"]}),
    ("existingVpc", EXISTING | {"natAddresses": []}),
    ("existingVpc", EXISTING | {"natAddresses": ["203.0.0.0/16"]}),
    ("existingVpc", EXISTING | {"natAddresses": ["203.0.113.7", "203.0.113.7/32"]}),
    ("existingVpc", EXISTING | {"natAddresses": [7]}),
    ("existingVpc", EXISTING | {"region": "us-east-1"}),
    ("flowLogs", "yes"),
    ("flowLogs", 1),
    ("flowLogs", ""),
    ("accessLogs", "on"),
    ("accessLogs", 0),
    ("accessLogs", ""),
    ("terminationProtection", "prod"),
    ("terminationProtection", 1),
    ("terminationProtection", ""),
    ("promotedFrom", ""),
    ("promotedFrom", "111111111111"),
    ("promotedFrom", "*@111111111111"),
    ("promotedFrom", "qa-*@111111111111"),
    ("promotedFrom", "qa@111111111111,qa@111111111111"),
    ("promotedFrom", []),
    ("promotedFrom", [f"qa@{n:012}" for n in range(11)]),
    ("promotedFrom", "dev@222222222222"),
    ("approvers", ""),
    ("approvers", "arn:aws:iam::111111111111:root"),
    ("approvers", "arn:aws:iam::111111111111:role/managers*"),
    ("approvers", "arn:aws:iam::111111111111:role/team?/managers"),
    ("approvers", "arn:aws:sts::111111111111:assumed-role/managers/mary"),
    *(("requiredApprovals", bad) for bad in (-1, 6, "one")),
    ("promoteTo", ""),
    ("promoteTo", "staging"),
    ("promoteTo", "staging@2222"),
    ("promoteTo", "Staging@222222222222"),
    ("promoteTo", "a-suffix-too-long@222222222222"),
    ("promoteTo", "staging@222222222222,staging@333333333333"),
    ("promoteTo", [{"environment": "staging"}]),
    ("promoteTo", [{"environment": "staging", "account": 222222222222}]),
    ("promoteTo", [{"environment": "staging", "account": "222222222222", "region": "eu-west-1"}]),
    ("promoteTo", [7]),
    ("promoteTo", "dev@222222222222"),
    ("githubRepository", "greeter"),
    ("githubRepository", "acme/"),
    ("githubRepository", "acme/*"),
    ("githubRepository", "acme/.."),
    ("githubRepository", "-acme/greeter"),
    ("githubRepository", "https://github.com/acme/greeter"),
    ("githubOwnerId", "acme"),
    ("githubOwnerId", 0),
    ("githubOwnerId", True),
    ("githubOwnerId", "*"),
    ("githubRepositoryId", "greeter"),
    ("githubRepositoryId", ""),
    ("githubRepositoryId", "12.5"),
    ("githubBranches", "*"),
    ("githubBranches", "release/*"),
    ("githubBranches", ""),
    ("githubBranches", []),
    ("githubBranches", "main,main"),
    ("githubEnvironments", "*"),
    ("githubEnvironments", "prod:blue"),
    ("githubEnvironments", "a b"),
    ("githubEnvironments", [None]),
    ("createGithubOidcProvider", "yes"),
    ("createGithubOidcProvider", 1),
    ("createGithubOidcProvider", ""),
    ("dropSettings", ""),
    ("dropSettings", "desiredCount"),
    ("dropSettings", "environmentSuffix"),
    ("dropSettings", ["notificationEmails"]),
    ("dropSettings", "notificationEmail,notificationEmail"),
]


def error_of(given: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.from_context(given)
    return str(caught.value)


@pytest.mark.parametrize("value", BAD_SUFFIXES)
def test_an_invalid_suffix_is_rejected_in_one_line_with_the_rule(value: object) -> None:
    line = error_of({"environmentSuffix": value})
    assert line.startswith("environmentSuffix is missing" if value is None else "environmentSuffix is ")
    assert "1 to 12 lower-case letters" in line
    assert line.endswith("for example -c environmentSuffix=dev")
    assert len(line.splitlines()) == 1


def test_a_missing_suffix_has_no_default() -> None:
    assert error_of({}).startswith("environmentSuffix is missing")


@pytest.mark.parametrize("suffix", ["d", "dev", "dev2", "a1", "feature-42", "a-b-c-d-e-f", "abcdefghijkl"])
def test_a_valid_suffix_is_kept(suffix: str) -> None:
    assert Config.from_context(context(environmentSuffix=suffix)).environment_suffix == suffix


@pytest.mark.parametrize(("key", "value"), BAD_VALUES)
def test_an_invalid_value_is_rejected_in_one_line_with_key_value_rule_and_example(
    key: str, value: object
) -> None:
    line = error_of(context(**{key: value}))
    assert line.startswith(f"{key} is {json.dumps(value)}: it must be ")
    assert f"for example -c {key}=" in line
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("key", list(Config.rules()))
def test_the_example_of_each_rule_passes_its_own_rule(key: str) -> None:
    rule = Config.rules()[key]
    assert Config.from_context(context(**{key: rule.example}))


@pytest.mark.parametrize("key", list(Config.rules()))
def test_each_key_has_at_least_three_invalid_values_here(key: str) -> None:
    tried = len(BAD_SUFFIXES) if key == "environmentSuffix" else [bad for bad, _ in BAD_VALUES].count(key)
    assert tried >= 3


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("enviromentSuffix", "environmentSuffix"),
        ("EnvironmentSuffix", "environmentSuffix"),
        ("environment-suffix", "environmentSuffix"),
        ("notificationEmails", "notificationEmail"),
        ("desiredcount", "desiredCount"),
    ],
)
def test_a_misspelled_key_is_rejected_with_the_right_spelling(slip: str, meant: str) -> None:
    line = error_of({"environmentSuffix": "dev", slip: "x"})
    assert line.startswith(f'{slip} is "x": it must be spelled {meant}')


def test_flags_of_the_cdk_and_keys_of_the_caller_are_ignored() -> None:
    theirs = {
        "@aws-cdk/aws-iam:minimizePolicies": True,
        "aws:cdk:enable-path-metadata": True,
        "acknowledged-issue-numbers": [1],
        "owner": "me",
    }
    assert Config.from_context(context(**theirs)) == Config.from_context(context())


def test_numbers_may_be_text_as_the_command_line_gives_them() -> None:
    config = Config.from_context(context(desiredCount="3", taskMemory="1024"))
    assert (config.desired_count, config.task_memory) == (3, 1024)


def test_accounts_promotions_and_flags_may_be_text_or_what_json_has_for_them() -> None:
    typed = Config.from_context(context(**SHARED))
    listed = {
        "promotedFrom": [
            {"environment": "qa", "account": "111111111111"},
            {"environment": "test", "account": "222222222222"},
        ],
        "promoteTo": [
            {"environment": "staging", "account": "222222222222"},
            {"environment": "prod", "account": "333333333333"},
        ],
        "githubBranches": "main,release/1",
        "githubEnvironments": ["dev"],
        "githubOwnerId": "1234567",
        "githubRepositoryId": 7654321,
        "createGithubOidcProvider": True,
    }
    assert typed == Config.from_context(context(**{**SHARED, **listed}))
    assert [str(each) for each in typed.promote_to] == ["staging@222222222222", "prod@333333333333"]
    assert [str(each) for each in typed.promoted_from] == ["qa@111111111111", "test@222222222222"]
    assert typed.create_github_oidc_provider is True


def test_a_promotion_has_the_size_of_its_own_environments_tasks() -> None:
    config = Config.from_context(
        context(promoteTo="prod@333333333333,feature@222222222222", taskCpu=1024, taskMemory=2048)
    )
    assert config.promote_to == (
        Promotion("prod", "333333333333", task_cpu=512, task_memory=1024),
        Promotion("feature", "222222222222", task_cpu=256, task_memory=512),
    )


def test_memory_that_fargate_does_not_offer_is_rejected_with_what_it_offers() -> None:
    line = error_of(context(taskCpu=512, taskMemory=512))
    assert "Fargate offers with 512 CPU units: 1024, 2048, 3072, 4096" in line


def test_cdk_json_has_the_flags_that_the_pinned_cli_recommends() -> None:
    templates = PROJECT / "node_modules/aws-cdk/lib/init-templates"
    recommended = templates / ".recommended-feature-flags.json"
    if not recommended.exists():
        pytest.skip("the CDK CLI is not installed here")
    assert json.loads(recommended.read_text("utf-8")).items() <= context().items()
