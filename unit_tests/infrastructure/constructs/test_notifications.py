"""Which failures are published, and that the topic accepts the messages."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from infrastructure.config.notification_channel import is_placeholder
from infrastructure.config.settings import Config
from unit_tests.infrastructure.synthesized import Templates, context, plain, templates_of, warnings

PIPELINE, BUILD = {"pipeline": ["pipeline-dev"]}, {"project-name": ["test-dev", "build-dev"]}
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
        (
            "break-glass-changed-dev",
            ("Parameter Store Change", "Break-Glass Use"),
            {"name": ["/break-glass-dev/test-traffic-hook"]},
        ),
    ],
)
def test_a_failure_and_break_glass_are_published_as_a_sentence(
    templates: Templates, name: str, detail_type: str | tuple[str, ...], detail: dict[str, list[str]]
) -> None:
    properties = templates.only("AWS::Events::Rule", Name=name).properties
    assert properties["EventPattern"]["detail-type"] == (
        [detail_type] if isinstance(detail_type, str) else list(detail_type)
    )
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
    of_own_alarms = {
        "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:us-east-1:<AWS::AccountId>:alarm:*-dev"},
    }
    for service, condition in (("events", None), ("cloudwatch", of_own_alarms)):
        assert granted(policy, f"{service}.amazonaws.com", condition) == {"sns:Publish"}
        assert granted(key.properties["KeyPolicy"]["Statement"], f"{service}.amazonaws.com", condition) == {
            "kms:Decrypt",
            "kms:GenerateDataKey*",
        }


def granted(policy: list[dict[str, Any]], service: str, condition: object) -> set[str]:
    """Return what a service may do on exactly this condition."""
    actions: set[str] = set()
    for statement in policy:
        if statement["Effect"] != "Allow" or plain(statement.get("Condition")) != condition:
            continue
        principals = statement["Principal"].get("Service", [])
        if service in (principals if isinstance(principals, list) else [principals]):
            given = statement["Action"]
            actions |= set(given if isinstance(given, list) else [given])
    return actions


@pytest.mark.parametrize("environment", list(context()["environments"]))
def test_the_topic_of_each_environment_has_an_email_subscription(environment: str) -> None:
    """The shipped address is a placeholder, and there is a warning (pitfall G4)."""
    config = Config.from_context(context(environmentSuffix=environment))
    assert config.notification_email is not None
    assert is_placeholder(config.notification_email)
    templates = templates_of(environmentSuffix=environment)
    subscription = templates.only("AWS::SNS::Subscription").properties
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", config.notification_email)
    (warning,) = warnings(environmentSuffix=environment, allowHttp="true")
    assert f"notificationEmail is {config.notification_email}, a placeholder" in warning


def test_with_an_address_of_ones_own_there_is_no_warning() -> None:
    assert warnings(notificationEmail="team@not-an-example.com") == []


def test_another_channel_has_no_subscription_and_no_warning() -> None:
    other_channel = templates_of(notificationChannel="other")
    assert not other_channel.resources("AWS::SNS::Subscription")
    assert warnings(notificationChannel="other") == []


def test_a_new_address_replaces_the_subscription(templates: Templates, other: Templates) -> None:
    subscriptions = [each.only("AWS::SNS::Subscription") for each in (templates, other)]
    assert subscriptions[0].id == subscriptions[1].id
    assert subscriptions[0].properties["Endpoint"] != subscriptions[1].properties["Endpoint"]
