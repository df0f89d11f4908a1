"""The stage Deploy of the pipeline: when an execution may enter it."""

from __future__ import annotations

from aws_cdk import aws_codepipeline as codepipeline

from infrastructure.config.release_times import DeploymentWindow
from infrastructure.config.settings import Config

STAGE = "Deploy"


def deploy_stage(config: Config, deploy: codepipeline.IAction) -> codepipeline.StageProps:
    """Return the stage, with the deployment window as its entry condition, and closed during a freeze.

    A freeze is a disabled transition: what waits for it is superseded by each newer execution, and enters
    when the freeze ends. An execution in an entry condition keeps the condition that it started with.
    https://docs.aws.amazon.com/codepipeline/latest/userguide/transitions.html
    """
    window = config.deployment_window
    return codepipeline.StageProps(
        stage_name=STAGE,
        actions=[deploy],
        before_entry=codepipeline.Conditions(conditions=[_condition(window)]) if window else None,
        transition_to_enabled=config.freeze is None,
        transition_disabled_reason=config.freeze,
    )


def _condition(window: DeploymentWindow) -> codepipeline.Condition:
    rule = codepipeline.Rule(
        name="DeploymentWindow",
        provider="DeploymentWindow",
        version="1",
        configuration={"Cron": window.cron, "TimeZone": window.time_zone},
    )
    # If the rule ends outside of the window, the stage fails; CodePipeline does not say after how long.
    return codepipeline.Condition(result=codepipeline.Result.FAIL, rules=[rule])
