"""The runs of conditions and their rules as the API returns them."""

from typing import Any

from local_aws.services.codepipeline.conditions import EntryCheck, RuleRun
from local_aws.services.codepipeline.shapes import (
    ConditionExecutionShape,
    ConditionStateShape,
    RuleExecutionShape,
    RuleStateShape,
    StageConditionStateShape,
    drop_none,
)


def condition_state(check: EntryCheck) -> StageConditionStateShape:
    """Return StageConditionState: a stage has one entry condition."""
    condition = ConditionExecutionShape(status=check.status, lastStatusChange=check.changed)
    rules = [
        RuleStateShape(ruleName=run.rule.name, latestExecution=_rule_execution(run)) for run in check.rules
    ]
    return StageConditionStateShape(
        latestExecution=ConditionExecutionShape(status=check.status),
        conditionStates=[ConditionStateShape(latestExecution=condition, ruleStates=rules)],
    )


def _rule_execution(run: RuleRun) -> RuleExecutionShape:
    return drop_none(
        RuleExecutionShape(
            ruleExecutionId=run.id,
            status=run.status,
            summary=run.summary or None,
            lastStatusChange=run.changed,
        )
    )


def rule_execution_detail(check: EntryCheck, run: RuleRun, region: str) -> dict[str, Any]:
    """Return RuleExecutionDetail."""
    configuration = dict(run.rule.shape.get("configuration", {}))
    result = {"externalExecutionSummary": run.summary} if run.summary else {}
    return {
        "pipelineExecutionId": check.execution_id,
        "ruleExecutionId": run.id,
        "pipelineVersion": check.version,
        "stageName": check.stage,
        "ruleName": run.rule.name,
        "startTime": run.started,
        "lastUpdateTime": run.changed,
        "status": run.status,
        "input": {
            "ruleTypeId": dict(run.rule.shape["ruleTypeId"]),
            "configuration": configuration,
            "resolvedConfiguration": configuration,
            "region": region,
            "inputArtifacts": [],
        },
        "output": {"executionResult": result},
    }
