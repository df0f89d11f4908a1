"""The event "CodeCommit Repository State Change" that each changed reference puts on the default bus.

https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html
"""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NotRequired, TypedDict

from local_aws.core.context import Context
from local_aws.services.codecommit.records import Repository


class ReferenceChange(TypedDict):
    """The event's `detail`. `commitId` is absent for a deleted reference, `oldCommitId` for a new one."""

    event: str
    repositoryName: str
    repositoryId: str
    referenceType: str
    referenceName: str
    referenceFullName: str
    callerUserArn: str
    commitId: NotRequired[str]
    oldCommitId: NotRequired[str]


# The ARN of the repository, with the event's detail.
PendingEvent = tuple[str, ReferenceChange]


class EventQueue:
    """Events in the order of the changes. An event stays queued until it is sent: a kill loses none."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.pending: deque[PendingEvent] = deque()
        self._sending = threading.Lock()

    def extend(self, events: Iterable[PendingEvent]) -> None:
        """Queue events."""
        self.pending.extend(events)

    def send(self) -> None:
        """Send every queued event. Callers must not hold the service's lock: a target may call the API."""
        with self._sending:
            while self.pending:
                arn, detail = self.pending[0]
                self.context.emit("aws.codecommit", "CodeCommit Repository State Change", [arn], {**detail})
                self.pending.popleft()


def reference_changes(
    repository: Repository, refs: dict[str, str], caller_arn: str
) -> Iterator[ReferenceChange]:
    """Yield a detail for each reference of `refs` that differs from the announced ones."""
    for ref in sorted({*repository.announced, *refs}):
        old, new = repository.announced.get(ref), refs.get(ref)
        if old != new:
            yield _reference_change(repository, ref, old, new, caller_arn)


def _reference_change(
    repository: Repository, ref: str, old: str | None, new: str | None, caller_arn: str
) -> ReferenceChange:
    _, kind, name = ref.split("/", 2)
    verb = "Created" if old is None else "Deleted" if new is None else "Updated"
    detail = ReferenceChange(
        event=f"reference{verb}",
        repositoryName=repository.name,
        repositoryId=repository.id,
        referenceType="branch" if kind == "heads" else "tag",
        referenceName=name,
        referenceFullName=ref,
        callerUserArn=caller_arn,
    )
    if new is not None:
        detail["commitId"] = new
    if old is not None:
        detail["oldCommitId"] = old
    return detail
