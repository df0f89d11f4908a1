"""Which failures are published, and that the topic accepts the messages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from unit_tests.infrastructure.synthesized import Templates, plain

PIPELINE, BUILD = {"pipeline": ["pipeline-dev"]}, {"project-name": ["build-dev"]}
DEPLOYMENT = {"application": ["application-dev"], "deploymentGroup": ["deployment-group-dev"]}


@pytest.mark.parametrize(
    ("name", "detail_type", "detail"),
    [
        (
            "pipeline-failed-dev",
            "CodePipeline Pipeline Execution State Change",
            {**PIPELINE, "state": ["FAILED", "STOPPED"]},
        ),
        ("stage-failed-dev", "CodePipeline Stage Execution State Change", {**PIPELINE, "state": ["FAILED"]}),
        (
            "build-failed-dev",
            "CodeBuild Build State Change",
            {**BUILD, "build-status": ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"]},
        ),
        (
            "deployment-failed-dev",
            "CodeDeploy Deployment State-change Notification",
            {**DEPLOYMENT, "state": ["FAILURE", "STOP"]},
        ),
        ("service-impaired-dev", "ECS Service Action", {"eventType": ["WARN", "ERROR"]}),
    ],
)
def test_a_failure_is_published_as_a_sentence(
    templates: Templates, name: str, detail_type: str, detail: dict[str, list[str]]
) -> None:
    properties = templates.only("AWS::Events::Rule", Name=name).properties
    assert properties["EventPattern"]["detail-type"] == [detail_type]
    assert properties["EventPattern"]["detail"] == detail
    (target,) = properties["Targets"]
    assert plain(target["Arn"]) == f"<{templates.only('AWS::SNS::Topic').id}>"
    transformer = target["InputTransformer"]
    assert set(re.findall(r"<([\w-]+)>", transformer["InputTemplate"])) == set(transformer["InputPathsMap"])
    sentence = json.loads(transformer["InputTemplate"])
    assert "https://" in sentence or "log" in sentence, "a message must say where to look"


def test_only_events_of_this_service_are_published(templates: Templates) -> None:
    """Their detail does not name the service."""
    pattern = templates.only("AWS::Events::Rule", Name="service-impaired-dev").properties["EventPattern"]
    assert plain(pattern["resources"]) == [
        "arn:aws:ecs:us-east-1:<AWS::AccountId>:service/cluster-dev/service-dev"
    ]


def test_eventbridge_and_cloudwatch_may_publish_to_the_encrypted_topic(templates: Templates) -> None:
    """EventBridge sends no source for a condition on a key: with one, it drops messages (pitfall G1)."""
    topic = templates.only("AWS::SNS::Topic", TopicName="notifications-dev")
    key = next(
        each
        for each in templates.resources("AWS::KMS::Key")
        if "notifications" in each.properties["Description"]
    )
    assert plain(topic.properties["KmsMasterKeyId"]) == f"<{key.id}.Arn>"
    policy = templates.only("AWS::SNS::TopicPolicy").properties["PolicyDocument"]["Statement"]
    for service in ("events.amazonaws.com", "cloudwatch.amazonaws.com"):
        assert granted(policy, service) >= {"sns:Publish"}
        assert granted(key.properties["KeyPolicy"]["Statement"], service) >= {
            "kms:Decrypt",
            "kms:GenerateDataKey*",
        }


def granted(policy: list[dict[str, Any]], service: str) -> set[str]:
    """Return what a service may do without any condition."""
    actions: set[str] = set()
    for statement in policy:
        if statement["Effect"] != "Allow" or statement.get("Condition"):
            continue
        principals = statement["Principal"].get("Service", [])
        if service in (principals if isinstance(principals, list) else [principals]):
            given = statement["Action"]
            actions |= set(given if isinstance(given, list) else [given])
    return actions


def test_an_address_is_subscribed_only_when_it_is_configured(templates: Templates, other: Templates) -> None:
    assert not templates.resources("AWS::SNS::Subscription")
    subscription = other.only("AWS::SNS::Subscription").properties
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "team@example.com")
