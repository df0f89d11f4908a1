"""Each changed reference is one event on the default bus."""

import threading
import time
from typing import Any

from local_aws.core.context import Context
from local_aws.services.codecommit.service import CodeCommit
from unit_tests.local_aws.services.codecommit.fakes import Events, commit, wait_until


def test_each_changed_reference_is_one_event_with_its_old_and_new_commit(
    codecommit: CodeCommit, events: Events
) -> None:
    first = commit(codecommit, "a", b"1")
    second = commit(codecommit, "a", b"2", first)
    codecommit.call(
        "CreateBranch", {"repositoryName": "repository-dev", "branchName": "other", "commitId": first}
    )
    codecommit.call("DeleteBranch", {"repositoryName": "repository-dev", "branchName": "other"})
    wait_until(lambda: len(events) == 4)
    assert [(e["event"], e["referenceName"], e.get("oldCommitId"), e.get("commitId")) for e in events] == [
        ("referenceCreated", "main", None, first),
        ("referenceUpdated", "main", first, second),
        ("referenceCreated", "other", None, first),
        ("referenceDeleted", "other", first, None),
    ]
    assert {e["referenceType"] for e in events} == {"branch"}


def test_no_event_is_sent_when_no_reference_changed(codecommit: CodeCommit, events: Events) -> None:
    commit(codecommit, "a", b"1")
    wait_until(lambda: len(events) == 1)
    codecommit.pushed("repository-dev")
    codecommit.pushed("another")
    time.sleep(0.1)
    assert len(events) == 1


def test_an_event_is_not_sent_by_a_thread_that_holds_the_lock(context: Context) -> None:
    done = threading.Event()

    def emit(source: str, kind: str, resources: list[str], detail: dict[str, Any]) -> None:
        # What CodePipeline does on an event: ask CodeCommit, from a thread of its own.
        caller = threading.Thread(target=service.call, args=("ListRepositories", {}))
        caller.start()
        caller.join(2)
        if not caller.is_alive():
            done.set()

    context.emit = emit
    service = CodeCommit(context)
    service.call("CreateRepository", {"repositoryName": "repository-dev"})
    commit(service, "a", b"1")
    assert done.wait(5)
