"""What the drift check calls, as far as it does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/target-group-{}-dev/1"
BLUE, GREEN = GROUP.format("blue"), GROUP.format("green")
IMAGES = "123456789012.dkr.ecr.us-east-1.amazonaws.com/images-dev"
DIGEST = "sha256:" + "a" * 64
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"


class MissingError(Exception):
    """ListenerNotFoundException, ScanNotFoundException."""


class LimitError(Exception):
    """LimitExceededException."""


class Exceptions:
    """The exceptions of the clients."""

    ListenerNotFoundException = MissingError
    ScanNotFoundException = MissingError
    LimitExceededException = LimitError


@dataclass
class Aws:
    """An environment: what the checks read of it, and what the function has published and remembered."""

    listeners: dict[str, str] = field(default_factory=lambda: {"production": BLUE, "test": GREEN})
    deployments: list[str] = field(default_factory=list)
    status: str = "UPDATE_COMPLETE"
    drifts: list[dict[str, Any]] = field(default_factory=list)
    detection: str = "DETECTION_COMPLETE"
    scan: str = "COMPLETE"
    findings: list[dict[str, str]] = field(default_factory=list)
    scans: list[str] = field(default_factory=list)
    scanned_today: bool = False
    certificate: dict[str, Any] = field(
        default_factory=lambda: {"Status": "ISSUED", "NotAfter": datetime(2999, 1, 1, tzinfo=UTC)}
    )
    parameter: str = "{}"
    published: list[dict[str, str]] = field(default_factory=list)
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    exceptions = Exceptions

    def client(self, _service: str, **_given: Any) -> Aws:
        return self

    def get_paginator(self, name: str) -> Paginator:
        return Paginator(self, name)

    def describe_services(self, **_given: Any) -> Any:
        primary = {
            "status": "PRIMARY",
            "loadBalancers": [{"targetGroupArn": BLUE}],
            "taskDefinition": "task-dev:7",
        }
        return {"services": [{"taskSets": [{**primary, "status": "ACTIVE"}, primary]}]}

    def list_deployments(self, **_given: Any) -> Any:
        return {"deployments": self.deployments}

    def describe_listeners(self, *, ListenerArns: list[str]) -> Any:  # noqa: N803 - AWS's name
        (listener,) = ListenerArns
        if listener not in self.listeners:
            raise MissingError
        groups = [
            {"TargetGroupArn": BLUE, "Weight": int(self.listeners[listener] == BLUE)},
            {"TargetGroupArn": GREEN, "Weight": int(self.listeners[listener] == GREEN)},
        ]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        return {"Listeners": [{"DefaultActions": [action]}]}

    def describe_task_definition(self, **_given: Any) -> Any:
        images = [f"{IMAGES}@{DIGEST}", "public.ecr.aws/collector@sha256:1"]
        return {"taskDefinition": {"containerDefinitions": [{"image": each} for each in images]}}

    def describe_stacks(self, *, StackName: str) -> Any:  # noqa: N803 - AWS's name
        return {"Stacks": [{"StackId": StackName, "StackStatus": self.status}]}

    def detect_stack_drift(self, *, StackName: str, LogicalResourceIds: list[str]) -> Any:  # noqa: N803 - AWS's names
        self.asked.append((StackName, tuple(LogicalResourceIds)))
        return {"StackDriftDetectionId": "1"}

    def describe_stack_drift_detection_status(self, **_given: Any) -> Any:
        return {"DetectionStatus": self.detection, "DetectionStatusReason": "a role was not read"}

    def describe_stack_resource_drifts(self, *, StackName: str, **given: Any) -> Any:  # noqa: N803 - AWS's name
        assert given["StackResourceDriftStatusFilters"] == ["MODIFIED", "DELETED"]
        return {"StackResourceDrifts": self.drifts if StackName == "nested" else []}

    def start_image_scan(self, *, imageId: dict[str, str], **_given: Any) -> None:  # noqa: N803 - AWS's name
        if self.scanned_today:
            raise LimitError
        self.scans.append(imageId["imageDigest"])

    def describe_certificate(self, **_given: Any) -> Any:
        return {"Certificate": self.certificate}

    def get_parameter(self, **_given: Any) -> Any:
        return {"Parameter": {"Value": self.parameter}}

    def put_parameter(self, *, Value: str, Overwrite: bool, **_given: Any) -> None:  # noqa: N803 - AWS's names
        assert Overwrite
        assert json.loads(Value) is not None
        assert len(Value) <= 4096, "a parameter of the standard tier"
        self.parameter = Value

    def publish(self, **given: str) -> None:
        self.published.append(given)


@dataclass
class Paginator:
    """The pages of ListStackResources and of DescribeImageScanFindings."""

    aws: Aws
    name: str

    def paginate(self, **given: Any) -> Iterator[Any]:
        if self.name == "list_stack_resources":
            yield from self._resources(given["StackName"])
            return
        if self.aws.scan == "missing":
            raise MissingError
        yield {
            "imageScanStatus": {"status": self.aws.scan},
            "imageScanFindings": {"findings": self.aws.findings},
        }

    @staticmethod
    def _resources(stack: str) -> Iterator[Any]:
        of_root = [("AWS::CloudFormation::Stack", "Nested", "nested"), ("AWS::SNS::Topic", "Topic", "topic")]
        of_nested = [("AWS::IAM::Role", "Role", "build-role-dev")]
        for type_, id_, name in of_nested if stack == "nested" else of_root:
            summary = {"ResourceType": type_, "LogicalResourceId": id_, "PhysicalResourceId": name}
            yield {"StackResourceSummaries": [summary]}


def drifted_role(value: str, status: str = "MODIFIED") -> dict[str, Any]:
    """Return how CloudFormation describes a role with another policy than the template's."""
    difference = {"PropertyPath": "/Policies/0", "ActualValue": value, "DifferenceType": "NOT_EQUAL"}
    return {
        "ResourceType": "AWS::IAM::Role",
        "LogicalResourceId": "Role",
        "PhysicalResourceId": "build-role-dev",
        "StackResourceDriftStatus": status,
        **({"PropertyDifferences": [difference]} if status == "MODIFIED" else {}),
    }
