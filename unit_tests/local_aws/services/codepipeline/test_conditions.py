"""Entry conditions: an execution waits for the deployment window, and who may let it in before.

https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-conditions.html
"""

from datetime import UTC, datetime
from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.core.clock import Clock
from local_aws.persistence.snapshots import dump
from local_aws.services.codepipeline.deployment_window import CronError, UnsupportedCronError, read_window
from unit_tests.local_aws.services.codepipeline.declarations import Json, declaration
from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, until
from unit_tests.local_aws.services.codepipeline.test_resource_types import pascal

NAME = "pipeline-dev"
DEPLOY = {"pipelineName": NAME, "stageName": "Deploy"}


def closed() -> str:
    """Return an expression whose window is twelve hours from now."""
    return f"* * {(datetime.now(UTC).hour + 12) % 24} * * *"


def windowed(cron: str, **rule: Any) -> Json:
    """Return the shipped pipeline with a deployment window before the stage Deploy."""
    found = declaration()
    rules = [
        {
            "name": "Window",
            "ruleTypeId": {
                "category": "Rule",
                "owner": "AWS",
                "provider": "DeploymentWindow",
                "version": "1",
            },
            "configuration": {"Cron": cron, "TimeZone": "UTC"},
            **rule,
        }
    ]
    conditions = {"conditions": [{"result": "FAIL", "rules": rules}]}
    (deploy,) = [each for each in found["stages"] if each["name"] == "Deploy"]
    deploy["beforeEntry"] = conditions
    return {**found, "pipelineType": "V2"}


def state(cloud: FakeCloud) -> Json:
    stages = cloud.call("GetPipelineState", name=NAME)["stageStates"]
    found: Json = next(each for each in stages if each["stageName"] == "Deploy")
    return found


def condition(cloud: FakeCloud) -> str:
    found = state(cloud).get("beforeEntryConditionState")
    return str(found["latestExecution"]["status"]) if found else ""


def override(cloud: FakeCloud, execution: str) -> None:
    cloud.call(
        "OverrideStageCondition", **DEPLOY, pipelineExecutionId=execution, conditionType="BEFORE_ENTRY"
    )


def test_an_open_window_lets_an_execution_in(cloud: FakeCloud) -> None:
    execution = cloud.create(**windowed("* * * ? * *"))
    assert cloud.ended(execution) == "Succeeded"
    assert condition(cloud) == "Succeeded"
    (rule,) = cloud.call("ListRuleExecutions", pipelineName=NAME)["ruleExecutionDetails"]
    assert (rule["ruleName"], rule["stageName"], rule["status"]) == ("Window", "Deploy", "Succeeded")


def test_an_execution_waits_for_the_window_and_an_override_lets_it_in(cloud: FakeCloud) -> None:
    execution = cloud.create(**windowed(closed()))
    until(lambda: condition(cloud) == "InProgress")
    assert b"TimeZone" in dump(cloud.pipelines), "a snapshot can have it"
    assert cloud.codedeploy.created == []
    override(cloud, execution)
    assert cloud.ended(execution) == "Succeeded"
    assert condition(cloud) == "Overridden"
    (rules,) = [each["ruleStates"] for each in state(cloud)["beforeEntryConditionState"]["conditionStates"]]
    assert [each["latestExecution"]["status"] for each in rules] == ["Abandoned"]


def test_a_rule_that_times_out_fails_the_stage_and_a_retry_runs_it_again(cloud: FakeCloud) -> None:
    cloud.clock = Clock(0.001)
    execution = cloud.create(**windowed(closed(), timeoutInMinutes=5))
    assert cloud.ended(execution) == "Failed"
    assert (condition(cloud), cloud.codedeploy.created) == ("Failed", [])
    cloud.call("RetryStageExecution", **DEPLOY, pipelineExecutionId=execution, retryMode="FAILED_ACTIONS")
    assert cloud.ended(execution) == "Failed"
    assert len(cloud.call("ListRuleExecutions", pipelineName=NAME)["ruleExecutionDetails"]) == 2
    override(cloud, execution)
    assert cloud.ended(execution) == "Succeeded"


def test_an_execution_that_waits_can_be_stopped(cloud: FakeCloud) -> None:
    execution = cloud.create(**windowed(closed()))
    until(lambda: condition(cloud) == "InProgress")
    cloud.call("StopPipelineExecution", pipelineName=NAME, pipelineExecutionId=execution)
    assert cloud.ended(execution) == "Stopped"
    assert condition(cloud) == "Abandoned"


def test_what_keeps_nobody_out_cannot_be_overridden(cloud: FakeCloud) -> None:
    execution = cloud.create()
    assert cloud.ended(execution) == "Succeeded"
    with pytest.raises(AwsError, match="ConditionNotOverridableException"):
        override(cloud, execution)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"configuration": {}}, "InvalidStageDeclarationException"),
        ({"configuration": {"Cron": "* * *"}}, "InvalidStageDeclarationException"),
        (
            {"configuration": {"Cron": "* * * * * *", "TimeZone": "Mars/Olympus"}},
            "InvalidStageDeclarationException",
        ),
        ({"configuration": {"Cron": "* * * L * ?"}}, "UnsupportedOperation"),
        ({"ruleTypeId": {"category": "Rule", "provider": "LambdaInvoke"}}, "UnsupportedOperation"),
        ({"ruleTypeId": {"category": "Rule", "provider": "Oracle"}}, "InvalidStageDeclarationException"),
    ],
)
def test_a_rule_that_cannot_run_is_refused_with_the_pipeline(
    cloud: FakeCloud, change: Json, code: str
) -> None:
    with pytest.raises(AwsError) as refused:
        cloud.create(**windowed("* * * ? * *", **change))
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("cron", "time", "is_open"),
    [
        ("* * 9-16 ? * MON-FRI", "2026-11-27T09:00:00+01:00", True),
        ("* * 9-16 ? * MON-FRI", "2026-11-27T17:00:00+01:00", False),
        ("* * 9-16 ? * MON-FRI", "2026-11-28T09:00:00+01:00", False),
        ("* * 9-16 ? * 2-6 2027", "2026-11-27T09:00:00+01:00", False),
        ("* 0/15 * * NOV ?", "2026-11-27T09:30:59+01:00", True),
        ("* 0/15 * * NOV ?", "2026-11-27T09:31:00+01:00", False),
        ("* * * 1,27 11 ?", "2026-11-26T23:30:00+00:00", True),
    ],
)
def test_a_window_is_open_when_every_field_matches_in_its_time_zone(
    cron: str, time: str, is_open: bool
) -> None:
    assert read_window(cron, "Europe/Vienna").is_open(datetime.fromisoformat(time)) is is_open


def test_a_value_out_of_its_range_and_what_is_not_evaluated_are_refused() -> None:
    for cron in ("* 60 * ? * *", "* * * ? FOO *", "* 9-5 * ? * *"):
        with pytest.raises(CronError):
            read_window(cron, "UTC")
    for cron in ("* * * LW * ?", "* * * ? * 6#3", "* * * ? * 6L"):
        with pytest.raises(UnsupportedCronError):
            read_window(cron, "UTC")


def test_cloudformation_creates_a_pipeline_with_an_entry_condition(cloud: FakeCloud) -> None:
    resource_type = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    resource_type.create(pascal(windowed(closed())), "Pipeline", "stack-dev")
    until(lambda: condition(cloud) == "InProgress")
    declared = cloud.call("GetPipeline", name=NAME)["pipeline"]["stages"][-1]["beforeEntry"]
    assert declared["conditions"][0]["rules"][0]["configuration"] == {"Cron": closed(), "TimeZone": "UTC"}
