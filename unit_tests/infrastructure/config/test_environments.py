"""The environments of cdk.json: which settings a suffix has, and how invalid ones are rejected."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.config.context_key import ConfigError
from infrastructure.config.notification_channel import is_placeholder
from infrastructure.config.settings import Config
from unit_tests.infrastructure.synthesized import context


def of(suffix: str, **given: object) -> Config:
    return Config.from_context(context(environmentSuffix=suffix, **given))


def with_prod(**changes: object) -> dict[str, Any]:
    """The context of cdk.json, with other settings of prod; None removes one."""
    given = context()
    prod = {**given["environments"]["prod"], **changes}
    kept = {key: value for key, value in prod.items() if value is not None}
    return given | {"environments": {**given["environments"], "prod": kept}}


def error_of(given: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.from_context(given)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


def test_dev_shifts_all_at_once_and_staging_and_prod_by_canary() -> None:
    shifts = [
        of(name).deployment_config.removeprefix("CodeDeployDefault.") for name in ("dev", "staging", "prod")
    ]
    assert shifts == ["ECSAllAtOnce", "ECSCanary10Percent5Minutes", "ECSCanary10Percent15Minutes"]


def test_prod_survives_the_loss_of_a_zone() -> None:
    prod = of("prod")
    assert prod.nat_gateways == 2
    assert prod.desired_count >= 2


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_a_rollback_is_fast_while_alarms_may_fire_and_a_push_does_not_wait_long(
    name: str,
) -> None:
    """A rollback needs the old tasks (pitfall N3), and the next push waits for their end (pitfall E2).

    In dev, a developer waits, and no user: an alarm may come too late to find the old tasks.
    """
    assert (2 if name == "dev" else 5) <= of(name).termination_wait_minutes <= 15


def test_a_suffix_without_an_environment_has_the_settings_of_dev() -> None:
    stranger, dev = of("it1a2b3c4d"), of("dev")
    assert stranger.environment_suffix == "it1a2b3c4d"
    assert {**vars(stranger), "environment_suffix": "dev"} == vars(dev)


def test_a_key_of_the_context_precedes_that_of_the_environment() -> None:
    config = of("prod", desiredCount="7")
    assert config.desired_count == 7
    assert config.termination_wait_minutes == of("prod").termination_wait_minutes


def test_an_environment_may_hold_any_other_key() -> None:
    given = with_prod(notificationEmail="prod@example.com") | {"environmentSuffix": "prod"}
    assert Config.from_context(given).notification_email == "prod@example.com"
    assert Config.from_context(given | {"environmentSuffix": "dev"}).notification_email != "prod@example.com"


def test_an_environment_without_an_address_says_that_it_uses_another_channel() -> None:
    """Otherwise nobody receives the failures (pitfall G4)."""
    line = error_of(with_prod(notificationEmail=None))
    assert line.startswith("environments.prod.notificationEmail is missing: it must be one e-mail address, ")
    assert line.endswith('for example in cdk.json "notificationEmail": "team@example.com"')
    told = with_prod(notificationEmail=None, notificationChannel="other")
    assert Config.from_context(told | {"environmentSuffix": "prod"}).notification_email is None


@pytest.mark.parametrize(
    "address", ["a@example.com", "a@EXAMPLE.org", "a@mail.example.net", "a@team.example", "a@b.example"]
)
def test_an_address_in_a_reserved_domain_is_a_placeholder(address: str) -> None:
    assert is_placeholder(address)


@pytest.mark.parametrize("address", ["a@example.co", "a@myexample.com", "example.com@acme.io", "a@latest.io"])
def test_any_other_address_is_none(address: str) -> None:
    assert not is_placeholder(address)


def test_only_an_environment_that_says_so_may_be_public_over_http() -> None:
    allowed = [of(name).allow_http for name in ("dev", "staging", "prod", "my-branch")]
    assert allowed == [True, True, False, True]


@pytest.mark.parametrize("key", Config.required_keys())
def test_a_key_that_an_environment_lacks_is_named_whichever_is_deployed(key: str) -> None:
    line = error_of(with_prod(**{key: None}))
    assert line.startswith(f"environments.prod.{key} is missing: it must be ")
    assert f'for example in cdk.json "{key}": ' in line


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        (with_prod(desiredCount=0), "environments.prod.desiredCount is 0: it must be a number of tasks"),
        (with_prod(taskCpu="fast"), 'environments.prod.taskCpu is "fast": it must be CPU units'),
        (with_prod(account="7"), 'environments.prod.account is "7": it must be the 12 digits'),
        (with_prod(taskMemory=512), "environments.prod.taskMemory is 512: it must be MiB that"),
        (with_prod(desiredcount=2), 'the key environments.prod.desiredcount is "desiredcount": it must'),
        (with_prod(environmentSuffix="prod"), "the key environments.prod.environmentSuffix is "),
        (context(environments=None), "environments is missing: it must be an object of environments"),
        (context(environments="dev"), 'environments is "dev": it must be an object of environments'),
        (context(environments=[]), "environments is []: it must be an object of environments"),
        (context(environments={}), "environments.dev is missing: it must be present"),
        (
            context(environments=context()["environments"] | {"Prod": {}}),
            'the name of environments.Prod is "Prod": it must be 1 to 12 lower-case letters',
        ),
        (
            context(environments=context()["environments"] | {"prod": 3}),
            "environments.prod is 3: it must be an object with the keys ",
        ),
    ],
)  # fmt: skip
def test_an_invalid_environment_is_rejected_in_one_line_with_the_place(
    given: dict[str, Any], begins: str
) -> None:
    line = error_of(given)
    assert line.startswith(begins)
    assert "for example in cdk.json " in line


def test_no_setting_of_an_environment_is_outside_of_the_environments_too() -> None:
    """A default in the context would precede every environment."""
    assert not (set(Config.rules()) - {"environmentSuffix"}) & set(context())


def test_the_name_of_a_service_alone_is_no_suffix() -> None:
    """It would deploy the sample, as an environment of that name."""
    line = error_of(context(environmentSuffix="orders", services={"orders": {}}))
    assert "the name of an environment of the service orders; for example" in line
    assert line.endswith("environmentSuffix=orders-dev")
    assert of("orders-dev", services={"orders": {}}).service.name == "orders"
