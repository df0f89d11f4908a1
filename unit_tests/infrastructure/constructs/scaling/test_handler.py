"""The function that suspends the scaling: for which events, and whatever their order (pitfall C8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from infrastructure.constructs.scaling.function import handler as suspender


@dataclass
class Aws:
    """CodeDeploy with these deployments in progress, and Application Auto Scaling."""

    deployments: list[str] = field(default_factory=list)
    registered: dict[str, Any] = field(default_factory=dict)

    def client(self, _service: str, **_given: Any) -> Aws:
        return self

    def get_paginator(self, name: str) -> Aws:
        assert name == "list_deployments"
        return self

    def paginate(self, **given: Any) -> Iterator[dict[str, list[str]]]:
        assert "Succeeded" not in given["includeOnlyStatuses"]
        yield from ({"deployments": [one]} for one in self.deployments)

    def register_scalable_target(self, **given: Any) -> None:
        self.registered = given


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    found = Aws()
    monkeypatch.setattr(boto3, "client", found.client)
    monkeypatch.setenv("RESOURCE_ID", "service/cluster-dev/service-dev")
    monkeypatch.setenv("APPLICATION", "application-dev")
    monkeypatch.setenv("DEPLOYMENT_GROUP", "deployment-group-dev")
    return found


@pytest.mark.parametrize(
    ("event", "listed", "suspended"),
    [
        ({"state": "START", "deploymentId": "d-1"}, ["d-1"], True),
        # The list may be older than the event, in both directions.
        ({"state": "START", "deploymentId": "d-1"}, [], True),
        ({"state": "SUCCESS", "deploymentId": "d-1"}, ["d-1"], False),
        ({"state": "STOP", "deploymentId": "d-1"}, [], False),
        # The rollback starts before the event of the failure arrives.
        ({"state": "FAILURE", "deploymentId": "d-1"}, ["d-2"], True),
        ({"state": "FAILURE", "deploymentId": "d-1"}, [], False),
    ],
)
def test_scaling_is_suspended_exactly_while_a_deployment_runs(
    aws: Aws, event: dict[str, str], listed: list[str], suspended: bool
) -> None:
    """It must not scale meanwhile, and must scale afterwards, whatever the end (pitfall C8)."""
    aws.deployments = listed
    suspender.handler({"detail": event}, None)
    states = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")
    assert aws.registered == {
        "ServiceNamespace": "ecs",
        "ScalableDimension": "ecs:service:DesiredCount",
        "ResourceId": "service/cluster-dev/service-dev",
        "SuspendedState": dict.fromkeys(states, suspended),
    }


@pytest.mark.parametrize("listed", [[], ["d-1"]])
def test_the_schedule_corrects_what_a_lost_event_left(aws: Aws, listed: list[str]) -> None:
    aws.deployments = listed
    assert suspender.handler({}, None) == {"suspended": bool(listed), "deployments": listed}
