"""DORA's four keys on the dashboard, as far as a query of the event log can compute them.

A query has two `stats` commands at most, and joins no execution with the one before it, so it knows neither
when a failed change was restored nor when a commit was written. `python -m operations status` computes all
four; docs/operations.md says what is counted.

https://dora.dev/guides/dora-metrics-four-keys/
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax-Stats.html
"""

from __future__ import annotations

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_logs as logs

from infrastructure.constructs.event_log import PIPELINE_EVENT, STAGE_EVENT
from infrastructure.naming import Names

WIDTH = 24
TEXT_HEIGHT = 4
HEIGHT = 3
# One row for each execution. Only the event of its start has the trigger; a comparison is no number, but
# `strcontains` returns 1 or 0.
EXECUTIONS = (
    f"filter `detail-type` in ['{PIPELINE_EVENT}', '{STAGE_EVENT}']",
    "fields toMillis(@timestamp) as at, "
    "concat(coalesce(detail.stage, 'Pipeline'), ' ', detail.state) as event, "
    "coalesce(`detail.execution-trigger.trigger-type`, '') as trigger",
    "fields strcontains(event, 'Pipeline STARTED') as is_start, "
    "strcontains(event, 'Deploy SUCCEEDED') as is_success, "
    "strcontains(event, 'Deploy FAILED') as is_failure, strcontains(trigger, 'Rollback') as is_rollback",
    "stats sum(is_start) as started, sum(is_success) as succeeded, sum(is_failure) as failed, "
    "max(is_rollback) as rollback, min(at) as began, max(at * is_success) as ended by `detail.execution-id`",
)
CHANGES = (
    *EXECUTIONS,
    "stats sum(succeeded * (1 - rollback)) as releases, "
    "sum((succeeded + failed) * (1 - rollback)) as changes, "
    "sum(failed * (1 - rollback)) as failed_in_deploy, sum(succeeded * rollback) as rollbacks",
)
LEAD_TIME = (
    *EXECUTIONS,
    "filter started > 0 and succeeded > 0 and rollback = 0",
    "stats pct((ended - began) / 60000, 50) as median_minutes, "
    "max((ended - began) / 60000) as longest_minutes",
)
DEFINITION = """\
### DORA's four keys, in the time range of the dashboard (30 days are kept)
A **change** is a run of the stage Deploy, without rollbacks; a **release** is one that succeeded, so that its
version has all traffic. **Deployment frequency**: releases. **Change failure rate**: failed_in_deploy and
rollbacks, of the changes; a failed change that was rolled back as well counts twice here. **Lead time**: from
the start of the execution. From the commit, and with the **time to restore**:
`python -m operations status {suffix}`.
"""


def four_keys_widgets(names: Names, event_log: logs.ILogGroup) -> list[cloudwatch.IWidget]:
    """Return the definition, the numbers of changes, and the lead time."""
    return [
        cloudwatch.TextWidget(
            markdown=DEFINITION.format(suffix=names.suffix), width=WIDTH, height=TEXT_HEIGHT
        ),
        *(
            cloudwatch.LogQueryWidget(
                title=title,
                log_group_names=[event_log.log_group_name],
                query_lines=list(lines),
                view=cloudwatch.LogQueryVisualizationType.TABLE,
                width=WIDTH // 2,
                height=HEIGHT,
            )
            for title, lines in (
                ("Changes", CHANGES),
                ("From the start of an execution to all traffic", LEAD_TIME),
            )
        ),
    ]
