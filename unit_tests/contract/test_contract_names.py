"""The contract files and the stacks use the same names, without reading one another (pitfall B2)."""

from __future__ import annotations

import pytest

from infrastructure import naming
from unit_tests.contract.contract_files import ENVIRONMENT, Contract


def check_names(contract: Contract) -> None:
    """Fail where the contract files and infrastructure/naming.py differ."""
    load_balancer = contract.target_service["LoadBalancerInfo"]
    assert load_balancer["ContainerName"] == naming.CONTAINER_NAME
    assert f"PORT={naming.CONTAINER_PORT}" in contract.dockerfile.split()
    assert contract.instruction("EXPOSE") == str(naming.CONTAINER_PORT)
    assert contract.taskdef["family"] == "${TASK_FAMILY}"


def test_the_files_name_what_the_stacks_create() -> None:
    check_names(Contract.read())


@pytest.mark.parametrize(("name", "value"), [("CONTAINER_NAME", "web"), ("CONTAINER_PORT", 80)])
def test_a_name_changed_on_one_side_is_noticed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(naming, name, value)
    with pytest.raises(AssertionError):
        check_names(Contract.read())


def test_these_tests_build_with_what_the_stacks_give() -> None:
    names = naming.Names("dev")
    given = {
        "AWS_REGION": naming.REGION,
        "CONTAINER_NAME": naming.CONTAINER_NAME,
        "CONTAINER_PORT": str(naming.CONTAINER_PORT),
        "HEALTH_PATH": naming.HEALTH_PATH,
        "TASK_FAMILY": names.task_family,
        "TASK_LOG_GROUP": names.task_log_group,
        "TEST_TRAFFIC_HOOK": names.traffic_hook,
    }
    assert given.items() <= ENVIRONMENT.items()
    assert ENVIRONMENT["IMAGE_REPOSITORY_URI"].endswith(f"/{names.image_repository}")
    assert ENVIRONMENT["REPORT_GROUP_ARN"].endswith(f"/{names.report_group}")
