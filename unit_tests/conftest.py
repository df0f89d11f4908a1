"""The templates that many tests read."""

from __future__ import annotations

import gc

import pytest

from infrastructure.config.scaling import EXAMPLE as SCALING_EXAMPLE
from unit_tests.infrastructure.synthesized import SHARED, Templates, templates_of


@pytest.fixture(scope="session")
def templates() -> Templates:
    """Environment dev with its settings of cdk.json."""
    return templates_of()


@pytest.fixture(scope="session")
def other() -> Templates:
    """Another environment, with every optional key given."""
    return templates_of(
        environmentSuffix="a-longer-one",
        account="123456789012",
        notificationEmail="team@example.com",
        certificateArn="arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
        testTrafficCidr="203.0.113.0/24",
        deploymentConfig="CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
        desiredCount="3",
        taskCpu="512",
        taskMemory="1024",
        terminationWaitMinutes="7",
        natGateways="2",
        vpcCidr="10.42.0.0/20",
        flowLogs="true",
        accessLogs="true",
        terminationProtection="true",
        services={"sample-service": {"scaling": SCALING_EXAMPLE}},
    )


@pytest.fixture(scope="session")
def shared() -> Templates:
    """Environment dev, which trusts other accounts, promotes to two of them, and is deployed by GitHub."""
    return templates_of(**SHARED)


def pytest_collection_finish() -> None:
    """Leave what is imported out of garbage collection: every full collection would visit it."""
    gc.freeze()
