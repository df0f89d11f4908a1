"""Further services of the catalogue: their names and their settings."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from infrastructure.config.catalogue import (
    SAMPLE,
    Service,
    SmokePath,
    TaskStatement,
    read_services,
    service_of,
)
from infrastructure.config.context_key import ConfigError
from infrastructure.config.settings import Config
from infrastructure.naming import Names
from tools.synthesis import defaults
from unit_tests.infrastructure.config.catalogue_entry import ORDERS


def config(suffix: str, **services: Mapping[str, object]) -> Config:
    return Config.from_context({**defaults(), "environmentSuffix": suffix, "services": services})


def test_a_suffix_without_a_service_belongs_to_the_sample() -> None:
    assert config("dev", orders=ORDERS).service == SAMPLE
    assert config("dev-2", orders=ORDERS).names == Names("dev-2")


def test_a_suffix_that_begins_with_a_service_is_that_services_environment() -> None:
    found = config("orders-prod", orders=ORDERS)
    assert found.service.name == "orders"
    assert found.names == Names("orders-prod", "orders")
    assert found.nat_gateways == 2, "as prod has"
    assert (found.task_cpu, found.task_memory, found.desired_count) == (512, 1024, 4), "as the entry says"


def test_an_entry_of_the_sample_changes_what_differs_from_the_default() -> None:
    services = {"sample-service": {"smokePaths": [{"path": "/api/items"}]}}
    found = Config.from_context({**defaults(), "environmentSuffix": "dev", "services": services})
    assert found.service == Service(smoke_paths=(SmokePath("/api/items", 200),))
    assert found.names == Names("dev")


def test_the_longest_name_that_fits_wins() -> None:
    services = read_services({"orders": {}, "orders-eu": {}})
    assert service_of("orders-eu-dev", services)[0].name == "orders-eu"
    assert service_of("orders-dev", services) == (services["orders"], "dev")


def test_every_key_of_an_entry_is_read() -> None:
    assert read_services({"orders": ORDERS})["orders"] == Service(
        name="orders",
        folder="services/orders",
        port=9000,
        health_path="/ready",
        cpu=512,
        memory=1024,
        tasks=4,
        environment=(("COLOUR", "red"),),
        task_statements=(TaskStatement(("s3:GetObject",), ("arn:aws:s3:::orders/*",)),),
        smoke_paths=(SmokePath("/ready", 200), SmokePath("/admin", 401)),
    )
    assert read_services('{"orders": {}}')["orders"].folder == "services/orders"


@pytest.mark.parametrize(
    ("services", "words"),
    [
        ([], "services is"),
        ("{", "it must be JSON"),
        ({"Orders": {}}, "the name of services.Orders"),
        ({"orders": []}, "services.orders"),
        ({"orders": {"colour": "red"}}, "the key services.orders.colour"),
        ({"orders": {"port": 80}}, "a port from 1024 to 65535"),
        ({"orders": {"folder": "../elsewhere"}}, "a folder of this project"),
        ({"orders": {"healthPath": "ready"}}, "a path that answers 200"),
        ({"orders": {"environment": {"A": 1}}}, "an object of variables"),
        ({"orders": {"taskStatements": [{"actions": []}]}}, "which its tasks may do"),
        *(
            ({"orders": {"smokePaths": given}}, "a list of 1 to 10")
            for given in ([], [{"path": "/"}] * 11, ["/"], [{"path": "items"}], [{"path": "/", "code": 200}])
        ),
        ({"orders": {"smokePaths": [{"path": "/", "status": 503}]}}, "with a status from 200 to 499"),
        ({"sample-service": {"network": "own"}}, "services.sample-service.network"),
        ({"dev": {}}, "none that begins the environment dev"),
    ],
)
def test_a_mistake_in_the_catalogue_is_one_clear_line(services: object, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        Config.from_context({**defaults(), "services": services})
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", ["orders-", "orders-environment-of-mine", "order-dev-is-too-long"])
def test_names_that_would_be_too_long_are_rejected(suffix: str) -> None:
    with pytest.raises(ConfigError, match="environmentSuffix"):
        config(suffix, orders=ORDERS)


def test_a_size_that_fargate_does_not_offer_is_rejected() -> None:
    with pytest.raises(ConfigError, match="taskMemory"):
        config("orders-dev", orders={"cpu": 1024, "memory": 512})


def test_a_promotion_goes_to_the_same_service_there() -> None:
    context = {**defaults(), "environmentSuffix": "orders-dev", "services": {"orders": ORDERS}}
    found = Config.from_context({**context, "promoteTo": "staging@222222222222"})
    (promotion,) = found.promote_to
    assert (promotion.environment, promotion.task_cpu) == ("orders-staging", 512)


@pytest.mark.parametrize("suffix", ["dev", "orders-staging", "a-service-of-16c-long"])
def test_names_of_load_balancing_fit_into_32_characters(suffix: str) -> None:
    names = Names(suffix, "orders")
    found = [names.load_balancer, names.blue_target_group, names.green_target_group]
    assert all(len(name) <= 32 and name.endswith(f"-{suffix}") for name in found)
    assert len(set(found)) == 3
