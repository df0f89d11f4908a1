"""What is kept: whole, for its owner only, before an answer, and never half."""

import asyncio
import pickle
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.clients import INTERNAL
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.daemon import LocalAwsError
from local_aws.persistence import snapshots
from local_aws.persistence.durability import DurabilityMiddleware, is_mutating
from local_aws.persistence.snapshots import Memory


class Counter:
    """A part that knows a number, an event, and something that it shares."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.number = 0
        self.event = threading.Event()
        self.engine = object()
        self.record: dict[str, Any] = {"engine": self.engine}
        self.broken = False

    def keep(self) -> Mapping[str, Any]:
        if self.broken:
            raise RuntimeError("this part is broken")
        return {"number": self.number, "event": self.event, "record": self.record}

    def restore(self, kept: Mapping[str, Any]) -> None:
        self.number, self.event, self.record = kept["number"], kept["event"], kept["record"]

    def shared(self) -> Mapping[str, Any]:
        return {"engine": self.engine}


@pytest.fixture
def part() -> Counter:
    return Counter()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path, "http://127.0.0.1:4599", Clock(0.5), "test", lambda *_: None)


@pytest.fixture
def kept(context: Context, part: Counter) -> Iterator[Memory]:
    found = Memory(context, lambda: iter([("counter", part)]))
    yield found
    found.stop()


def test_a_part_gets_back_what_it_had(kept: Memory, part: Counter, tmp_path: Path) -> None:
    part.number = 7
    part.event.set()
    kept.save()
    found = snapshots.read(tmp_path)
    assert found is not None
    assert (found.port, found.time_scale) == (4599, 0.5)
    other = Counter()
    snapshots.load(other, found.parts["counter"])
    assert (other.number, other.event.is_set()) == (7, True)
    assert other.record["engine"] is other.engine, "what is shared is this start's"


class Written:
    """A value that another thread comes by while it is kept: it writes into the same record, once."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    def __reduce__(self) -> tuple[Any, ...]:
        self.record.setdefault("meanwhile", "written")
        return str, ("a value",)


def test_a_record_that_is_written_to_meanwhile_is_kept_all_the_same(
    kept: Memory, part: Counter, tmp_path: Path
) -> None:
    part.record |= {"value": Written(part.record), "last": 1}
    kept.save()
    found = snapshots.read(tmp_path)
    assert found is not None
    other = Counter()
    snapshots.load(other, found.parts["counter"])
    assert other.record["meanwhile"] == "written"


def test_its_file_is_for_its_owner_only(kept: Memory, tmp_path: Path) -> None:
    kept.save()
    assert stat.S_IMODE((tmp_path / snapshots.FILE).stat().st_mode) == 0o600


def test_a_save_that_breaks_leaves_what_was_kept(kept: Memory, part: Counter, tmp_path: Path) -> None:
    kept.save()
    before = (tmp_path / snapshots.FILE).read_bytes()
    part.number, part.broken = 8, True
    with pytest.raises(RuntimeError):
        kept.save()
    assert (tmp_path / snapshots.FILE).read_bytes() == before
    part.broken = False


def test_after_the_end_nothing_is_kept(kept: Memory, part: Counter, tmp_path: Path) -> None:
    part.number = 1
    kept.stop()
    part.number = 2
    kept.save()
    found = snapshots.read(tmp_path)
    assert found is not None
    snapshots.load(part, found.parts["counter"])
    assert part.number == 1


def test_nothing_is_kept_of_a_new_folder(tmp_path: Path) -> None:
    assert snapshots.read(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps((0, 1, 1.0, {})), pickle.dumps("x")])
def test_a_strange_file_is_one_clear_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / snapshots.FILE).write_bytes(content)
    with pytest.raises(LocalAwsError, match=r"remove .*, or choose another --state"):
        snapshots.read(tmp_path)


def test_who_waits_is_told_when_it_is_kept(
    kept: Memory, context: Context, part: Counter, tmp_path: Path
) -> None:
    async def ask() -> None:
        part.number = 9
        await asyncio.wait_for(kept.saved(), 10)

    context.spawn("memory", kept.run)
    asyncio.run(ask())
    found = snapshots.read(tmp_path)
    assert found is not None
    snapshots.load(part, found.parts["counter"])
    assert part.number == 9


def test_nobody_waits_for_what_cannot_be_kept_and_it_is_a_fault(
    kept: Memory, context: Context, part: Counter
) -> None:
    async def ask() -> None:
        await asyncio.wait_for(kept.saved(), 10)

    part.broken = True
    keeping = context.spawn("memory", kept.run)
    asyncio.run(ask())
    keeping.join(10)
    asyncio.run(ask())
    assert len(context.faults) == 1
    assert "this part is broken" in context.faults[0]
    part.broken = False


def scope(method: str = "POST", **headers: str) -> dict[str, Any]:
    given = {"user-agent": "Boto3/1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    pairs = [(name.encode(), value.encode()) for name, value in given.items()]
    return {"type": "http", "method": method, "path": "/", "headers": pairs}


@pytest.mark.parametrize(
    ("request_scope", "body", "changes"),
    [
        (scope(x_amz_target="CodePipeline_20150709.StartPipelineExecution"), b"{}", True),
        (scope(x_amz_target="CodePipeline_20150709.GetPipelineState"), b"{}", False),
        (scope(x_amz_target="Logs_20140328.PutLogEvents"), b"{}", False),
        (scope(), b"Action=CreateStack&StackName=a", True),
        (scope(), b"Version=1&Action=DescribeStacks", False),
        (scope(user_agent=f"Boto3/1 {INTERNAL}"), b"Action=CreateStack", False),
        (scope("PUT"), b"an object", True),
    ],
)
def test_an_operation_says_by_its_name_whether_it_changes_something(
    request_scope: dict[str, Any], body: bytes, changes: bool
) -> None:
    assert is_mutating(request_scope, body) is changes


@pytest.mark.parametrize(
    ("request_scope", "order"),
    [
        (scope(x_amz_target="Sqs.CreateQueue"), ["done", "kept", "answered"]),
        (scope(x_amz_target="Sqs.ListQueues"), ["done", "answered"]),
        (scope("GET"), ["done", "answered"]),
    ],
)
def test_an_answer_comes_after_what_it_says_is_kept(request_scope: dict[str, Any], order: list[str]) -> None:
    seen: list[str] = []

    async def inner(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        seen.append("done")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def keep() -> None:
        seen.append("kept")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(_message: Any) -> None:
        seen.append("answered")

    asyncio.run(DurabilityMiddleware(inner, keep)(request_scope, receive, send))
    assert seen == order
