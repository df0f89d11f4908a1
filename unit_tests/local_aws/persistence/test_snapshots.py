"""Snapshots: complete, for their owner only, and written before the response."""

import asyncio
import pickle
import stat
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local_aws.core import pickling
from local_aws.core.clients import INTERNAL
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.core.errors import LocalAwsError
from local_aws.persistence import snapshots
from local_aws.persistence.durability import DurabilityMiddleware, is_mutating
from local_aws.persistence.snapshots import SnapshotWriter


class Counter:
    """State with a number, an event, and a shared object."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.number = 0
        self.event = threading.Event()
        self.engine = object()
        self.record: dict[str, Any] = {"engine": self.engine}
        self.broken = False

    def to_snapshot(self) -> Mapping[str, Any]:
        if self.broken:
            raise RuntimeError("this state is broken")
        return {"number": self.number, "event": self.event, "record": self.record}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        self.number, self.event = snapshot["number"], snapshot["event"]
        self.record = snapshot["record"]

    def shared(self) -> Mapping[str, Any]:
        return {"engine": self.engine}


@pytest.fixture
def counter() -> Counter:
    return Counter()


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path, "http://127.0.0.1:4599", Clock(0.5), "test", lambda *_: None)


@pytest.fixture
def writer(context: Context, counter: Counter) -> Iterator[SnapshotWriter]:
    found = SnapshotWriter(context, lambda: iter([("counter", counter)]))
    yield found
    found.stop()


def test_restoring_a_snapshot_returns_the_saved_state(
    writer: SnapshotWriter, counter: Counter, tmp_path: Path
) -> None:
    counter.number = 7
    counter.event.set()
    writer.save()
    found = snapshots.read(tmp_path)
    assert found is not None
    assert (found.port, found.time_scale) == (4599, 0.5)
    other = Counter()
    snapshots.load(other, found.contents["counter"])
    assert (other.number, other.event.is_set()) == (7, True)
    assert other.record["engine"] is other.engine, "shared objects are those of the new start"


class ConcurrentWrite:
    """A value whose pickling adds a key to the record, as a concurrent thread does."""

    def __init__(self, record: dict[str, Any]) -> None:
        self.record = record

    def __reduce__(self) -> tuple[Any, ...]:
        self.record.setdefault("meanwhile", "written")
        return str, ("a value",)


def test_a_record_is_saved_despite_a_concurrent_write(
    writer: SnapshotWriter, counter: Counter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickling, "is_data", lambda _kind: True)
    counter.record |= {"value": ConcurrentWrite(counter.record), "last": 1}
    writer.save()
    found = snapshots.read(tmp_path)
    assert found is not None
    other = Counter()
    snapshots.load(other, found.contents["counter"])
    assert other.record["meanwhile"] == "written"


def test_only_the_owner_can_read_the_file(writer: SnapshotWriter, tmp_path: Path) -> None:
    writer.save()
    assert stat.S_IMODE((tmp_path / snapshots.FILE).stat().st_mode) == 0o600


def test_a_failed_save_leaves_the_previous_snapshot(
    writer: SnapshotWriter, counter: Counter, tmp_path: Path
) -> None:
    writer.save()
    before = (tmp_path / snapshots.FILE).read_bytes()
    counter.number, counter.broken = 8, True
    with pytest.raises(RuntimeError):
        writer.save()
    assert (tmp_path / snapshots.FILE).read_bytes() == before
    counter.broken = False


def test_nothing_is_saved_after_the_last_snapshot(
    writer: SnapshotWriter, counter: Counter, tmp_path: Path
) -> None:
    counter.number = 1
    writer.stop()
    counter.number = 2
    writer.save()
    found = snapshots.read(tmp_path)
    assert found is not None
    snapshots.load(counter, found.contents["counter"])
    assert counter.number == 1


def test_a_new_folder_has_no_snapshot(tmp_path: Path) -> None:
    assert snapshots.read(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"not a pickle", pickle.dumps((0, 1, 1.0, {})), pickle.dumps("x")])
def test_an_unreadable_file_is_reported_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / snapshots.FILE).write_bytes(content)
    with pytest.raises(LocalAwsError, match=r"remove .*, or choose another --state"):
        snapshots.read(tmp_path)


def test_a_waiting_request_continues_once_the_state_is_saved(
    writer: SnapshotWriter, context: Context, counter: Counter, tmp_path: Path
) -> None:
    async def request() -> None:
        counter.number = 9
        await asyncio.wait_for(writer.saved(), 10)

    context.spawn("snapshots", writer.run)
    asyncio.run(request())
    found = snapshots.read(tmp_path)
    assert found is not None
    snapshots.load(counter, found.contents["counter"])
    assert counter.number == 9


def test_a_failing_save_releases_waiting_requests_and_is_a_background_error(
    writer: SnapshotWriter, context: Context, counter: Counter
) -> None:
    async def request() -> None:
        await asyncio.wait_for(writer.saved(), 10)

    counter.broken = True
    saving = context.spawn("snapshots", writer.run)
    asyncio.run(request())
    saving.join(10)
    asyncio.run(request())
    assert len(context.background_errors) == 1
    assert "this state is broken" in context.background_errors[0]
    counter.broken = False


def scope(method: str = "POST", path: str = "/", **headers: str) -> dict[str, Any]:
    given = {"user-agent": "Boto3/1", **{name.replace("_", "-"): value for name, value in headers.items()}}
    pairs = [(name.encode(), value.encode()) for name, value in given.items()]
    return {"type": "http", "method": method, "path": path, "headers": pairs}


@pytest.mark.parametrize(
    ("request_scope", "body", "mutating"),
    [
        (scope(x_amz_target="CodePipeline_20150709.StartPipelineExecution"), b"{}", True),
        (scope(x_amz_target="CodePipeline_20150709.GetPipelineState"), b"{}", False),
        (scope(x_amz_target="Logs_20140328.PutLogEvents"), b"{}", False),
        (scope(), b"Action=CreateStack&StackName=a", True),
        (scope(), b"Version=1&Action=DescribeStacks", False),
        (scope(user_agent=f"Boto3/1 {INTERNAL}"), b"Action=CreateStack", False),
        (scope("PUT"), b"an object", True),
        (scope(x_amz_target="TrentService.Sign"), b"{}", False),
        (scope(x_amz_target="AmazonEC2ContainerRegistry_V20150921.UploadLayerPart"), b"{}", False),
        (scope(x_amz_target="AmazonEC2ContainerRegistry_V20150921.PutImage"), b"{}", True),
        (scope(), b"Action=SignalResource", True),
        (scope("PATCH", path="/v2/images/blobs/uploads/1"), b"a layer", False),
        (scope("PUT", path="/v2/images/manifests/latest"), b"{}", True),
    ],
)
def test_the_name_of_an_operation_decides_whether_it_is_mutating(
    request_scope: dict[str, Any], body: bytes, mutating: bool
) -> None:
    assert is_mutating(request_scope, body) is mutating


@pytest.mark.parametrize(
    ("request_scope", "order"),
    [
        (scope(x_amz_target="Sqs.CreateQueue"), ["done", "saved", "responded"]),
        (scope(x_amz_target="Sqs.ListQueues"), ["done", "responded"]),
        (scope("GET"), ["done", "responded"]),
    ],
)
def test_a_mutating_request_is_answered_after_the_save(
    request_scope: dict[str, Any], order: list[str]
) -> None:
    seen: list[str] = []

    async def app(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        seen.append("done")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def saved() -> None:
        seen.append("saved")

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"{}"}

    async def send(_message: Any) -> None:
        seen.append("responded")

    asyncio.run(DurabilityMiddleware(app, saved)(request_scope, receive, send))
    assert seen == order


def test_telemetry_has_a_file_of_its_own_at_an_interval_and_at_the_end(
    context: Context, counter: Counter, tmp_path: Path
) -> None:
    telemetry = Counter()
    writer = SnapshotWriter(context, lambda: iter([("counter", counter), (snapshots.TELEMETRY, telemetry)]))

    def saved() -> tuple[int, int]:
        found, numbers = snapshots.read(tmp_path), []
        assert found is not None
        for name in ("counter", snapshots.TELEMETRY):
            other = Counter()
            snapshots.load(other, found.contents[name])
            numbers.append(other.number)
        return numbers[0], numbers[1]

    writer.save()
    assert saved() == (0, 0)
    counter.number = telemetry.number = 1
    writer.save()
    assert saved() == (1, 0), "not within the interval"
    before = (tmp_path / snapshots.FILE).stat().st_mtime_ns
    telemetry.number = 2
    writer.stop()
    assert saved() == (1, 2)
    assert (tmp_path / snapshots.FILE).stat().st_mtime_ns == before, "what has not changed is not written"
    assert stat.S_IMODE((tmp_path / snapshots.TELEMETRY).stat().st_mode) == 0o600
    (tmp_path / snapshots.TELEMETRY).unlink()
    found = snapshots.read(tmp_path)
    assert found is not None
    assert list(found.contents) == ["counter"]
