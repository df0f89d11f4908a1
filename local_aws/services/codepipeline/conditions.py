"""Entry conditions of a stage: their declaration, and the run of their rules. Its automatic retry.

https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works-conditions.html
AWS's pages do not say whether an execution that waits for a rule occupies the stage. Here it does, as one
that waits for an approval does, so a newer execution waits for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.services.codepipeline.deployment_window import (
    CronError,
    UnsupportedCronError,
    Window,
    read_window,
)
from local_aws.services.codepipeline.errors import invalid_stage, invalid_structure, unsupported

PROVIDER = "DeploymentWindow"
PROVIDERS = frozenset({PROVIDER, "CloudWatchAlarm", "Commands", "LambdaInvoke", "VariableCheck"})
KEYS = frozenset({"Cron", "TimeZone"})
# The longest that the API takes. AWS's pages have no default.
LONGEST_MINUTES = 86400
Shape = Mapping[str, Any]


@dataclass(frozen=True)
class RuleDeclaration:
    """A rule, with the API structure RuleDeclaration that it is declared with."""

    name: str
    window: Window
    timeout: timedelta
    shape: Shape


@dataclass
class RuleRun:
    """One run of a rule; the names are those of the API's RuleExecution."""

    rule: RuleDeclaration
    id: str
    status: str = "InProgress"
    started: datetime = field(default_factory=now)
    changed: datetime = field(default_factory=now)
    summary: str = ""

    def look(self, time: datetime, minute: float) -> None:
        """End the rule if its window is open, or its timeout is over; `minute` is one of AWS in seconds."""
        if self.status != "InProgress":
            return
        if self.rule.window.is_open(time):
            self.end("Succeeded", "The current time is in the deployment window.")
        elif time - self.started >= self.rule.timeout * (minute / 60):
            self.end("Failed", "The rule timed out outside of the deployment window.")

    def end(self, status: str, summary: str) -> None:
        """End with a status."""
        self.status, self.summary, self.changed = status, summary, now()


@dataclass
class EntryCheck:
    """The run of a stage's entry condition in one execution."""

    stage: str
    execution_id: str
    version: int
    rules: list[RuleRun]
    status: str = "InProgress"
    changed: datetime = field(default_factory=now)
    # The runs of earlier attempts.
    earlier: list[RuleRun] = field(default_factory=list)

    def look(self, time: datetime, minute: float) -> None:
        """Run the rules; the condition succeeds if all do, and fails if one does."""
        for run in self.rules:
            run.look(time, minute)
        statuses = {run.status for run in self.rules}
        if "Failed" in statuses:
            self.end("Failed")
        elif statuses == {"Succeeded"}:
            self.end("Succeeded")

    def end(self, status: str) -> None:
        """End with a status; the rules that have not ended are abandoned."""
        self.status, self.changed = status, now()
        for run in self.rules:
            if run.status == "InProgress":
                run.end("Abandoned", f"The condition is {status}.")


def entry_rules(stage: Shape, pipeline_type: str) -> tuple[RuleDeclaration, ...]:
    """Return the rules of a stage's entry condition, checked; raises AwsError."""
    conditions = (stage.get("beforeEntry") or {}).get("conditions", ())
    if not conditions:
        return ()
    if pipeline_type != "V2":
        raise invalid_structure(f"Conditions of stage {stage['name']} can only be used with V2 pipelines")
    if len(conditions) != 1:
        raise invalid_stage(f"Stage {stage['name']} has {len(conditions)} entry conditions, not 1")
    (condition,) = conditions
    if condition.get("result", "FAIL") != "FAIL":
        raise unsupported(f"result {condition['result']} of an entry condition of {stage['name']}")
    return tuple(_rule(rule, stage["name"]) for rule in condition.get("rules", ()))


def automatic_retry(stage: Shape, pipeline_type: str) -> str | None:
    """Return the mode in which a stage is retried when it fails, or None; raises AwsError.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html: "for one retry attempt", and
    "for all actions, including Source actions". Its pages do not say which mode is the default.
    """
    declared = stage.get("onFailure")
    if not declared:
        return None
    name = stage["name"]
    if pipeline_type != "V2":
        raise invalid_structure(f"onFailure of stage {name} can only be used with V2 pipelines")
    if declared.get("conditions"):
        raise unsupported(f"conditions in onFailure of {name}")
    if declared.get("result") != "RETRY":
        raise unsupported(f"result {declared.get('result')} in onFailure of {name}")
    mode: str | None = declared.get("retryConfiguration", {}).get("retryMode")
    if mode is None:
        raise unsupported(f"onFailure of {name} without a retryMode")
    return mode


def _rule(shape: Shape, stage: str) -> RuleDeclaration:
    name, provider = shape["name"], shape["ruleTypeId"]["provider"]
    if provider not in PROVIDERS:
        raise invalid_stage(f"Rule {name} of stage {stage} has the unknown provider {provider}")
    if provider != PROVIDER:
        raise unsupported(f"rule {provider} of {stage}")
    configuration = shape.get("configuration", {})
    if unknown := sorted(set(configuration) - KEYS):
        raise invalid_stage(f"Rule {name} of stage {stage} has the unknown configuration {unknown[0]}")
    if "Cron" not in configuration:
        raise invalid_stage(f"Rule {name} of stage {stage} is missing required configuration Cron")
    try:
        window = read_window(configuration["Cron"], configuration.get("TimeZone", "UTC"))
    except UnsupportedCronError as error:
        raise unsupported(f"{error} in the Cron of rule {name}") from error
    except CronError as error:
        raise invalid_stage(f"The Cron of rule {name} of stage {stage} is not valid: {error}") from error
    minutes = shape.get("timeoutInMinutes", LONGEST_MINUTES)
    return RuleDeclaration(name, window, timedelta(minutes=minutes), shape)


def check_overridable(check: EntryCheck | None, kind: str, stage: str) -> None:
    """Raise ConditionNotOverridableException unless an entry condition keeps an execution out of a stage."""
    if kind != "BEFORE_ENTRY" or check is None or check.status not in ("Failed", "InProgress"):
        status = check.status if check else "not run"
        raise AwsError(
            "ConditionNotOverridableException",
            f"Unable to override because the condition does not allow overrides: {kind} of stage {stage} is "
            f"{status}",
        )
