"""DORA's four keys of an environment, from its event log; docs/operations.md says what is counted.

https://dora.dev/guides/dora-metrics-four-keys/
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.names import Names
from operations.status.commits import find_commit

# As long as the event log keeps its events.
DAYS = 30
CODEPIPELINE = "aws.codepipeline"
SOURCE, DEPLOY = "Source", "Deploy"
ENDS = ("SUCCEEDED", "FAILED")
DEFINITION = (
    "A change is a run of the stage Deploy, without rollbacks; a release is one that succeeded. A change "
    "failed if the stage failed, or if its next run was a rollback. Times are medians."
)
# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_ExecutionTrigger.html
ROLLBACKS = ("ManualRollback", "AutomatedRollback")


@dataclass(frozen=True)
class Change:
    """One run of the Deploy stage, at its end. A rollback has no commit of its own."""

    execution: str
    at: datetime
    has_succeeded: bool
    commit: str = ""
    is_rollback: bool = False


@dataclass(frozen=True)
class FourKeys:
    """The keys of the last `days`; times are medians in seconds, None without any."""

    days: int
    releases: int
    changes: int
    failures: int
    lead_time: float | None
    time_to_restore: float | None

    def __str__(self) -> str:
        parts = [f"last {self.days} days: {_count(self.releases, 'release')}"]
        if self.lead_time is not None:
            parts.append(f"{_duration(self.lead_time)} from a commit to all traffic")
        parts.append(f"{self.failures} of {_count(self.changes, 'change')} failed")
        if self.time_to_restore is not None:
            parts.append(f"{_duration(self.time_to_restore)} from a failure to the next success")
        return ", ".join(parts)


def read(account: Account, names: Names, now: datetime) -> FourKeys | None:
    """Return the keys of an environment; None if its own pipeline has released nothing."""
    since = now - timedelta(days=DAYS)
    try:
        logged = list(
            account.pages(
                "logs",
                "filter_log_events",
                "events",
                logGroupName=names.event_log_group,
                startTime=int(since.timestamp() * 1000),
                filterPattern=f'"{CODEPIPELINE}"',
            )
        )
    except ClientError as error:
        if code_of(error) != "ResourceNotFoundException":
            raise
        return None
    events = (json.loads(each["message"]) for each in logged)
    # The pattern is text that may stand anywhere in an event.
    found = list(changes(each for each in events if each["source"] == CODEPIPELINE))
    released = {each.commit for each in found if each.has_succeeded and not each.is_rollback}
    return summarize(found, {commit: _written(account, names, commit) for commit in released - {""}})


def changes(events: Iterable[Mapping[str, Any]]) -> Iterator[Change]:
    """Yield the runs of the Deploy stage that events of CodePipeline tell of, by their end.

    EventBridge may deliver an event late, or twice.
    """
    commits: dict[str, str] = {}
    rollbacks: set[str] = set()
    ended: dict[tuple[str, str], bool] = {}
    for event in events:
        detail, execution = event["detail"], event["detail"]["execution-id"]
        if detail.get("execution-trigger", {}).get("trigger-type") in ROLLBACKS:
            rollbacks.add(execution)
        if revision := _revision(detail):
            commits[execution] = revision
        if _is_end(detail):
            ended[event["time"], execution] = detail["state"] == "SUCCEEDED"
    for (at, execution), has_succeeded in sorted(ended.items()):
        commit = commits.get(execution, "")
        yield Change(execution, datetime.fromisoformat(at), has_succeeded, commit, execution in rollbacks)


def _revision(detail: Mapping[str, Any]) -> str:
    """Return the commit that the Source action has read."""
    result = detail.get("execution-result", {}) if detail.get("stage") == SOURCE else {}
    return str(result.get("external-execution-id", ""))


def _is_end(detail: Mapping[str, Any]) -> bool:
    """Return whether the stage Deploy has ended, as the event of the stage tells."""
    return detail.get("stage") == DEPLOY and "action" not in detail and detail["state"] in ENDS


def summarize(found: Sequence[Change], written: Mapping[str, datetime | None]) -> FourKeys | None:
    """Return the keys of changes in the order of their ends, given when each commit was written."""
    own = [each for each in found if not each.is_rollback]
    if not own:
        return None
    released = [each for each in own if each.has_succeeded]
    failed = _failed(found, own)
    lead_times = [each.at - began for each in released if (began := written.get(each.commit))]
    restored = [after - each.at for each in failed if (after := _next_success(found, each.at))]
    return FourKeys(DAYS, len(released), len(own), len(failed), _median(lead_times), _median(restored))


def _failed(found: Sequence[Change], own: Sequence[Change]) -> list[Change]:
    undone = [one for one, after in pairwise(found) if after.is_rollback]
    return [each for each in own if not each.has_succeeded or each in undone]


def _next_success(found: Sequence[Change], moment: datetime) -> datetime | None:
    return next((each.at for each in found if each.has_succeeded and each.at > moment), None)


def _median(times: Sequence[timedelta]) -> float | None:
    return median(each.total_seconds() for each in times) if times else None


def _written(account: Account, names: Names, commit: str) -> datetime | None:
    found = find_commit(account, names, commit)
    # Seconds and an offset: https://docs.aws.amazon.com/codecommit/latest/APIReference/API_UserInfo.html
    return datetime.fromtimestamp(int(found["committer"]["date"].split()[0]), UTC) if found else None


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
