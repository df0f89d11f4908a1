"""The catalogue of cdk.json, as the harness reads it."""

import json
from pathlib import Path

import pytest

from harness.catalogue import (
    HEALTH_PATH,
    LONGEST_ENVIRONMENT,
    check_catalogue,
    check_suffix,
    code_folder,
    page_path,
)
from harness.cloud import HarnessError
from infrastructure import naming
from infrastructure.config.environments import SHORT


def test_a_service_that_is_not_in_the_catalogue_is_named_with_those_that_are(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text(
        json.dumps({"context": {"services": {"sample-service": {}, "orders": {}}}})
    )
    check_catalogue("orders", tmp_path)
    check_catalogue("sample-service", tmp_path)
    with pytest.raises(
        HarnessError, match="no service 'ordres', only sample-service, orders: make check-service"
    ):
        check_catalogue("ordres", tmp_path)


@pytest.mark.parametrize(
    ("suffix", "folder"),
    [
        ("dev", "sample_service"),
        ("orders-dev", "services/orders"),
        ("orders-eu-dev", "elsewhere"),
        ("ordersdev", "sample_service"),
    ],
)
def test_an_environment_is_seeded_from_the_folder_of_its_service(
    suffix: str, folder: str, tmp_path: Path
) -> None:
    catalogue = {"orders": {}, "orders-eu": {"folder": "elsewhere"}}
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"services": catalogue}}))
    assert code_folder(suffix, tmp_path) == tmp_path / folder


@pytest.mark.parametrize(
    ("suffix", "words"),
    [
        ("orders", "orders is a service, not an environment: SUFFIX=orders-dev, or SUFFIX=dev"),
        ("sample-service", "sample-service is a service, not an environment"),
        ("abcdefghijklmnopq", "at most 12 characters, after orders- if it is one of a service"),
        ("orders-abcdefghijklm", "at most 12 characters"),
    ],
)
def test_a_suffix_that_the_app_would_refuse_is_refused_before_anything_starts(
    suffix: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"services": {"orders": {}}}}))
    with pytest.raises(HarnessError, match=words):
        check_suffix(suffix, tmp_path)
    for good in ("dev", "abcdefghijkl", "orders-dev", "orders-abcdefghi"):
        check_suffix(good, tmp_path)


def test_the_longest_environment_is_the_apps() -> None:
    assert LONGEST_ENVIRONMENT == SHORT


def test_the_page_path_of_a_service_is_its_first_smoke_path_or_its_health_path(tmp_path: Path) -> None:
    entries = {
        "sample-service": {"smokePaths": [{"path": "/health", "status": 200}, {"path": "/", "status": 200}]},
        "orders": {},
        "polls": {"healthPath": "/polls/"},
    }
    (tmp_path / "cdk.json").write_text(json.dumps({"context": {"services": entries}}))
    paths = {suffix: page_path(suffix, tmp_path) for suffix in ("dev", "orders-dev", "polls-dev")}
    assert paths == {"dev": "/", "orders-dev": naming.HEALTH_PATH, "polls-dev": "/polls/"}
    assert HEALTH_PATH == naming.HEALTH_PATH
