"""Snapshots of the services' state in the state folder: a restarted local_aws resumes from them."""

import asyncio
import io
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, Protocol
from urllib.parse import urlsplit

from local_aws.core import pickling
from local_aws.core.concurrent_mutation import retry_on_concurrent_mutation
from local_aws.core.context import Context
from local_aws.core.errors import LocalAwsError

FILE = "snapshot"
# The persistable with a file of its own, of this name, the seconds between two of its snapshots, and the
# share of processor time that they may use. It has most of the bytes, no other thread runs while it is
# pickled, and nothing refers to it: without a regular end, the last seconds are lost.
TELEMETRY, TELEMETRY_EVERY, TELEMETRY_SHARE = "telemetry", 10.0, 0.01
# The persistable of deleted stacks has one as well: they are most of the rest, and seldom change. It is
# written first, as the other file leaves out what it has.
DELETED_STACKS = "deleted_stacks"
FILES_OF_THEIR_OWN = (TELEMETRY, DELETED_STACKS)
# The version of the file's format; a file of another version is not read.
FORMAT = 5
# Seconds between snapshots of the services' own changes; a caller's change is saved before the response.
INTERVAL = 0.5
# The share of processor time that snapshots may use.
MAX_PROCESSOR_SHARE = 0.05


class Persistable(Protocol):
    """State that a snapshot holds. It is read under its lock, and restored before the first request."""

    @property
    def lock(self) -> AbstractContextManager[Any]: ...

    def to_snapshot(self) -> Mapping[str, Any]: ...

    def restore(self, snapshot: Mapping[str, Any]) -> None: ...

    def shared(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Snapshot:
    """The state of an earlier local_aws: its port, its clock's scale, and pickled persistables by name."""

    port: int
    time_scale: float
    contents: Mapping[str, bytes]


def read(state: Path) -> Snapshot | None:
    """Return the snapshot in a state folder, or None. Raises `LocalAwsError` if it cannot be read."""
    path = state / FILE
    if not path.exists():
        return None
    try:
        found, port, time_scale, contents = pickling.loads(path.read_bytes())
    except (pickle.UnpicklingError, ValueError, TypeError, EOFError, LookupError, AttributeError) as error:
        raise unreadable(state) from error
    if found != FORMAT:
        raise unreadable(state)
    apart = {name: (state / name).read_bytes() for name in FILES_OF_THEIR_OWN if (state / name).exists()}
    return Snapshot(port, time_scale, {**contents, **apart})


def unreadable(state: Path) -> LocalAwsError:
    """Return the error for a snapshot of another version of local_aws."""
    return LocalAwsError(
        f"the snapshot in {state} was written by an incompatible version: "
        f"remove {state}, or choose another --state"
    )


class SnapshotWriter:
    """Writes snapshots of what `persistables` yields, which it calls for each snapshot."""

    def __init__(
        self, context: Context, persistables: Callable[[], Iterator[tuple[str, Persistable]]]
    ) -> None:
        self.context = context
        self.state = context.state
        self.persistables = persistables
        self._written: dict[str, bytes] = {}
        self._deleted_stacks = b""
        self._telemetry_due = 0.0
        self._waiting: list[asyncio.Future[None]] = []
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._requested = threading.Event()
        self._closed = threading.Event()
        self._pause = INTERVAL

    def run(self) -> None:
        """Write snapshots until stopped (the body of a thread)."""
        try:
            while not self._closed.is_set():
                self._requested.wait(self._pause)
                self._requested.clear()
                self.save()
        finally:
            # Requests no longer wait for snapshots: the reason is a background error.
            with self._lock:
                self._closed.set()
            _release(self._waiting)

    async def saved(self) -> None:
        """Return once the present state is on disk; at once after the last snapshot."""
        done = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._closed.is_set():
                return
            self._waiting.append(done)
        self._requested.set()
        await done

    def stop(self) -> None:
        """Write the last snapshot: what the shutdown itself changes is not saved."""
        with self._saving:
            with self._lock:
                self._closed.set()
            self._telemetry_due = 0.0
            self._save()
        self._requested.set()

    def save(self) -> None:
        """Write a snapshot now."""
        with self._saving:
            if not self._closed.is_set():
                self._save()

    def _save(self) -> None:
        # The thread's processor time: wall-clock time would grow with the load of the machine.
        began = time.thread_time()
        with self._lock:
            waiting, self._waiting = self._waiting, []
        try:
            found = dict(self.persistables())
            telemetry = found.pop(TELEMETRY, None)
            if DELETED_STACKS in found:
                self._write_deleted_stacks(found.pop(DELETED_STACKS))
            contents = {name: dump(persistable) for name, persistable in found.items()}
            if contents != self._written:
                address = urlsplit(self.context.endpoint)
                self._write(
                    FILE, pickle.dumps((FORMAT, address.port, self.context.clock.time_scale, contents))
                )
                self._written = contents
            if telemetry is not None and time.monotonic() >= self._telemetry_due:
                self._write_telemetry(telemetry)
        finally:
            _release(waiting)
        self._pause = max(INTERVAL, (time.thread_time() - began) / MAX_PROCESSOR_SHARE)

    def _write_telemetry(self, persistable: Persistable) -> None:
        began = time.thread_time()
        self._write(TELEMETRY, dump(persistable))
        pause = max(TELEMETRY_EVERY, (time.thread_time() - began) / TELEMETRY_SHARE)
        self._telemetry_due = time.monotonic() + pause

    def _write_deleted_stacks(self, persistable: Persistable) -> None:
        content = dump(persistable)
        if content != self._deleted_stacks:
            self._write(DELETED_STACKS, content)
            self._deleted_stacks = content

    def _write(self, name: str, content: bytes) -> None:
        path = self.state / name
        draft = path.with_suffix(".new")
        # It has secrets: parameters, keys, sessions.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        draft.replace(path)


def _release(waiting: Iterable[asyncio.Future[None]]) -> None:
    for future in waiting:
        # The client may have disconnected, and its event loop may be closed.
        with suppress(RuntimeError):
            future.get_loop().call_soon_threadsafe(_finish, future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@retry_on_concurrent_mutation
def dump(persistable: Persistable) -> bytes:
    """Return the pickled state of `persistable`; shared objects are pickled as names.

    A thread that works on one record may write to it without the lock.
    """
    file = io.BytesIO()
    with persistable.lock:
        _Pickler(file, persistable.shared()).dump(dict(persistable.to_snapshot()))
    return file.getvalue()


def load(persistable: Persistable, content: bytes) -> None:
    """Restore the state of `persistable`."""
    persistable.restore(pickling.DataUnpickler(content, persistable.shared()).load())


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, shared: Mapping[str, Any]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.names = {id(value): name for name, value in shared.items()}

    # Not persistent_id, which Python calls for each number and string too.
    def reducer_override(self, value: Any) -> Any:
        if id(value) in self.names:
            return _shared, (self.names[id(value)],)
        if isinstance(value, threading.Event):
            return _event, (value.is_set(),)
        kind = value if isinstance(value, type) else type(value)
        if kind is not FunctionType and not pickling.is_data(kind):
            raise pickle.PicklingError(f"{kind} is not data: a snapshot with it could not be read")
        return NotImplemented


def _shared(name: str) -> Any:
    """Stand for a shared object in a pickle: `DataUnpickler` has it."""
    raise pickle.UnpicklingError(f"{name} is an object of a running local_aws")


def _event(is_set: bool) -> threading.Event:
    event = threading.Event()
    if is_set:
        event.set()
    return event
