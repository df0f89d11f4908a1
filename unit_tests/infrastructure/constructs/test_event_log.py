"""The event log: what EventBridge writes to it, and that it is allowed to."""

from __future__ import annotations

import json

import pytest

from unit_tests.infrastructure.synthesized import Templates, plain

GROUP = "/aws/events/pipeline-dev"


def test_eventbridge_may_write_to_this_group_alone(templates: Templates) -> None:
    group = templates.only("AWS::Logs::LogGroup", LogGroupName=GROUP)
    statements = group.properties["ResourcePolicyDocument"]["Statement"]
    for statement in statements:
        # Without the first, the rules' invocations fail (hashicorp/terraform-provider-aws#30388).
        assert statement["Principal"] == {"Service": ["delivery.logs.amazonaws.com", "events.amazonaws.com"]}
        assert plain(statement["Resource"]) == f"arn:aws:logs:us-east-1:<AWS::AccountId>:log-group:{GROUP}:*"
    create, write = statements
    assert (create["Action"], write["Action"]) == ("logs:CreateLogStream", "logs:PutLogEvents")
    sources = write["Condition"]["ArnEquals"]["aws:SourceArn"]
    writing = [
        f"arn:aws:events:us-east-1:<AWS::AccountId>:rule/{rule.properties['Name']}"
        for rule in templates.resources("AWS::Events::Rule")
        if f"log-group:{GROUP}" in json.dumps(plain(rule.properties["Targets"]))
    ]
    assert sorted(plain(sources)) == sorted(writing)
    assert len(writing) == 4


def test_no_environment_takes_one_of_the_ten_log_policies_of_its_account(templates: Templates) -> None:
    """The eleventh environment could not be created (pitfall A5)."""
    assert templates.resources("AWS::Logs::ResourcePolicy") == []


@pytest.mark.parametrize(
    ("name", "detail_types", "detail"),
    [
        (
            "pipeline-events-dev",
            [f"CodePipeline {what} Execution State Change" for what in ("Pipeline", "Stage", "Action")],
            {"pipeline": ["pipeline-dev"]},
        ),
        ("build-events-dev", ["CodeBuild Build State Change"], {"project-name": ["test-dev", "build-dev"]}),
        (
            "deployment-events-dev",
            ["CodeDeploy Deployment State-change Notification", "Deployment Refused"],
            {"application": ["application-dev"], "deploymentGroup": ["deployment-group-dev"]},
        ),
        (
            "break-glass-events-dev",
            ["Parameter Store Change", "Break-Glass Use"],
            {"name": ["/break-glass-dev/test-traffic-hook"]},
        ),
    ],
)
def test_every_state_of_the_pipeline_and_of_break_glass_is_logged(
    templates: Templates, name: str, detail_types: list[str], detail: dict[str, list[str]]
) -> None:
    rule = templates.only("AWS::Events::Rule", Name=name)
    assert rule.properties["EventPattern"]["detail-type"] == detail_types
    assert rule.properties["EventPattern"]["detail"] == detail, "no state is left out"
    (target,) = rule.properties["Targets"]
    # With the `:*` that the group's own ARN ends in, the rule deploys and delivers nothing.
    assert plain(target["Arn"]) == f"arn:aws:logs:us-east-1:<AWS::AccountId>:log-group:{GROUP}"
    # EventBridge takes no role for a log group.
    assert "RoleArn" not in target
    assert templates.only("AWS::Logs::LogGroup", LogGroupName=GROUP).id in rule.depends_on


def test_the_first_execution_is_logged_too(templates: Templates) -> None:
    """AWS starts an execution when the pipeline is created (pitfall B6)."""
    pipeline = templates.only("AWS::CodePipeline::Pipeline")
    rules = {
        rule.id
        for rule in templates.resources("AWS::Events::Rule")
        if rule.properties["Name"] != "source-rule-dev" and "EventPattern" in rule.properties
    }
    assert len(rules) == 15
    assert rules <= pipeline.depends_on


def test_no_lambda_function_creates_the_policy(templates: Templates) -> None:
    """The CDK's target for log groups would add one, with a log group that no stack deletes (pitfall H1)."""
    custom = {each.type for each in templates.resources(part="pipeline") if each.type.startswith("Custom::")}
    assert custom == {"Custom::S3AutoDeleteObjects"}


def test_artifacts_are_kept_as_long_as_events(templates: Templates) -> None:
    (rule,) = templates.only("AWS::S3::Bucket").properties["LifecycleConfiguration"]["Rules"]
    group = templates.only("AWS::Logs::LogGroup", LogGroupName=GROUP)
    assert rule["ExpirationInDays"] == group.properties["RetentionInDays"] == 30
