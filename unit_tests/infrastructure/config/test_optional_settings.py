"""The settings that a later deployment could drop (pitfall C11)."""

from __future__ import annotations

import pytest

from infrastructure.config.optional_settings import optional_fields
from infrastructure.config.settings import Config
from unit_tests.infrastructure.synthesized import SHARED, context


def config(**overrides: object) -> Config:
    return Config.from_context(context(**overrides))


def test_every_key_without_a_required_value_is_an_optional_setting_unless_it_says_where_or_how() -> None:
    required = {*Config.required_keys(), "environmentSuffix", "account", "allowHttp", "dropSettings"}
    # To drop an exception admits less.
    required |= {"imageScanExceptions"}
    assert set(optional_fields(Config)) == set(Config.rules()) - required
    assert "notificationEmail" in optional_fields(Config)


def test_the_settings_of_an_environment_are_those_that_are_given() -> None:
    assert config().optional_settings == {}
    assert config(**SHARED).optional_settings == {
        "promotedFrom": "qa@111111111111,test@222222222222",
        "approvers": SHARED["approvers"],
        "promoteTo": "staging@222222222222,prod@333333333333",
        "githubRepository": "acme/greeter",
        "githubBranches": "main,release/1",
        "githubEnvironments": "dev",
        "githubOwnerId": "1234567",
        "githubRepositoryId": "7654321",
        "createGithubOidcProvider": "true",
    }


@pytest.mark.parametrize("address", ["team@example.com", "a@mail.example.org", "team@EXAMPLE.net"])
def test_a_placeholder_of_an_address_is_not_given(address: str) -> None:
    assert config(notificationEmail=address).optional_settings == {}


@pytest.mark.parametrize("address", ["ops@acme.org", "ops@myexample.com", "ops@example.com.acme.org"])
def test_an_address_that_resembles_a_placeholder_is_given(address: str) -> None:
    assert config(notificationEmail=address).optional_settings == {"notificationEmail": address}


def test_a_service_of_the_catalogue_has_its_name_as_a_setting() -> None:
    """Without its entry, the suffix would mean an environment of the sample with the same stack."""
    given = config(environmentSuffix="orders-dev", services={"orders": {}})
    assert given.optional_settings == {"services": "orders"}


def test_a_default_that_is_written_out_may_be_returned_to() -> None:
    """`createGithubOidcProvider=false` is a decision, and needs no dropSettings beside it."""
    assert config(createGithubOidcProvider="false").drop_settings == ("createGithubOidcProvider",)
    assert config(createGithubOidcProvider="true").drop_settings == ()
    both = config(createGithubOidcProvider=False, dropSettings="notificationEmail")
    assert both.drop_settings == ("notificationEmail", "createGithubOidcProvider")


def test_a_former_setting_may_still_be_dropped() -> None:
    """Without it, no deployment of this version could follow one that had the setting."""
    assert config(dropSettings="trustedAccounts").drop_settings == ("trustedAccounts",)
