"""When an execution may enter the stage Deploy: in the deployment window, and in no freeze."""

from __future__ import annotations

from typing import Any

from unit_tests.infrastructure.synthesized import Templates, templates_of

WINDOW = "* * 9-16 ? * MON-FRI Europe/Vienna"


def pipeline(templates: Templates) -> dict[str, Any]:
    return templates.only("AWS::CodePipeline::Pipeline").properties


def stages(templates: Templates) -> dict[str, dict[str, Any]]:
    return {each["Name"]: each for each in pipeline(templates)["Stages"]}


def test_a_deployment_window_is_the_entry_condition_of_deploy_alone() -> None:
    found = stages(templates_of(deploymentWindow=WINDOW))
    assert {name for name, each in found.items() if "BeforeEntry" in each} == {"Deploy"}
    (condition,) = found["Deploy"]["BeforeEntry"]["Conditions"]
    (rule,) = condition["Rules"]
    assert condition["Result"] == "FAIL"
    assert rule["RuleTypeId"] == {
        "Category": "Rule",
        "Owner": "AWS",
        "Provider": "DeploymentWindow",
        "Version": "1",
    }
    assert rule["Configuration"] == {"Cron": "* * 9-16 ? * MON-FRI", "TimeZone": "Europe/Vienna"}


def test_a_freeze_disables_the_transition_to_deploy_with_its_reason() -> None:
    frozen = pipeline(templates_of(freeze="until 7 January"))
    assert frozen["DisableInboundStageTransitions"] == [{"StageName": "Deploy", "Reason": "until 7 January"}]


def test_by_default_every_time_is_one_for_a_release(templates: Templates) -> None:
    assert "DisableInboundStageTransitions" not in pipeline(templates)
    assert not [each for each in stages(templates).values() if "BeforeEntry" in each]
