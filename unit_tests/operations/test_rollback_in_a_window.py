"""`operations rollback` outside of the deployment window, and during a freeze."""

from __future__ import annotations

import pytest

from operations import rollback
from unit_tests.operations.account_fakes import Answer, FakeAccount
from unit_tests.operations.test_rollback import THREE, released


def before_deploy(**state: object) -> Answer:
    """Return the state of a pipeline whose stage Deploy the rollback has not entered."""
    return {"stageStates": [{"stageName": "Source"}, {"stageName": "Deploy", **state}]}


def test_a_rollback_does_not_wait_for_the_deployment_window(capsys: pytest.CaptureFixture[str]) -> None:
    state = before_deploy(
        latestExecution={"pipelineExecutionId": "e-new", "status": "InProgress"},
        beforeEntryConditionState={"latestExecution": {"status": "InProgress"}},
    )
    account = FakeAccount(
        released(*THREE, codepipeline__get_pipeline_state=state, codepipeline__override_stage_condition={})
    )
    assert rollback.go_back("dev", account, print)
    assert "let it into Deploy, outside of the deployment window" in capsys.readouterr().out
    (given,) = [each for _, operation, each in account.asked if operation == "override_stage_condition"]
    assert given == {
        "pipelineName": "pipeline-dev",
        "stageName": "Deploy",
        "pipelineExecutionId": "e-new",
        "conditionType": "BEFORE_ENTRY",
    }


def test_during_a_freeze_it_says_what_lets_a_rollback_in(capsys: pytest.CaptureFixture[str]) -> None:
    state = before_deploy(
        inboundExecution={"pipelineExecutionId": "e-new", "status": "InProgress"},
        inboundTransitionState={"enabled": False, "disabledReason": "until 7 January"},
    )
    account = FakeAccount(released(*THREE, codepipeline__get_pipeline_state=state))
    assert rollback.go_back("dev", account, print)
    expected = "it waits before Deploy, which nothing enters: until 7 January: aws codepipeline enable"
    assert expected in capsys.readouterr().out
