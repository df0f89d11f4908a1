"""What the services know, kept in one file of the state folder: killed, local_aws starts again on it."""

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
from typing import Any, Protocol
from urllib.parse import urlsplit

from local_aws.core.concurrent_mutation import again
from local_aws.core.context import Context
from local_aws.daemon import LocalAwsError

FILE = "memory"
# Changes with what is kept: a file of another one is not read.
FORMAT = 2
# What services do by themselves is kept this often, in seconds; what a caller asked for, before the answer.
EVERY = 0.5
# Of the processor's time, no more than this share goes into it.
SHARE = 0.05


class Part(Protocol):
    """Something that is kept: read under its lock, given back before anything is asked of it."""

    @property
    def lock(self) -> AbstractContextManager[Any]: ...

    def keep(self) -> Mapping[str, Any]: ...

    def restore(self, kept: Mapping[str, Any]) -> None: ...

    def shared(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True)
class Kept:
    """What an earlier local_aws left: its port, its clock's factor, and each part's bytes by name."""

    port: int
    time_scale: float
    parts: Mapping[str, bytes]


def read(state: Path) -> Kept | None:
    """Return what is kept in a state folder, or None. Raises `LocalAwsError` for a strange file."""
    path = state / FILE
    if not path.exists():
        return None
    try:
        found, port, time_scale, parts = pickle.loads(path.read_bytes())  # noqa: S301 - our own, for its owner only
    except (pickle.UnpicklingError, ValueError, TypeError, EOFError) as error:
        raise unreadable(state) from error
    if found != FORMAT:
        raise unreadable(state)
    return Kept(port, time_scale, parts)


def unreadable(state: Path) -> LocalAwsError:
    """Return the refusal of what another version of local_aws kept."""
    return LocalAwsError(
        f"what is kept in {state} is of another local_aws: remove {state}, or choose another --state"
    )


class Memory:
    """Keeps the parts that `parts` names, each time anew; restores them once, before the port answers."""

    def __init__(self, context: Context, parts: Callable[[], Iterator[tuple[str, Part]]]) -> None:
        self.context = context
        self.path = context.state / FILE
        self.parts = parts
        self._kept: dict[str, bytes] = {}
        self._waiting: list[asyncio.Future[None]] = []
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._pause = EVERY

    def run(self) -> None:
        """Keep what changes until stopped (the body of a thread)."""
        try:
            while not self._closed.is_set():
                self._wanted.wait(self._pause)
                self._wanted.clear()
                self.save()
        finally:
            # Nobody waits for what is not kept any more: why is a fault.
            with self._lock:
                self._closed.set()
            _answer(self._waiting)

    async def saved(self) -> None:
        """Return once all that is known now is kept; at once when nothing is kept any more."""
        done = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._closed.is_set():
                return
            self._waiting.append(done)
        self._wanted.set()
        await done

    def stop(self) -> None:
        """Keep what there is a last time; what the end itself changes is not kept."""
        with self._saving:
            with self._lock:
                self._closed.set()
            self._save()
        self._wanted.set()

    def save(self) -> None:
        """Keep all parts now."""
        with self._saving:
            if not self._closed.is_set():
                self._save()

    def _save(self) -> None:
        # The processor's time: on a busy machine it is not the work that takes long.
        began = time.thread_time()
        with self._lock:
            waiting, self._waiting = self._waiting, []
        try:
            kept = {name: dump(part) for name, part in self.parts()}
            if kept != self._kept:
                self._write(kept)
                self._kept = kept
        finally:
            _answer(waiting)
        self._pause = max(EVERY, (time.thread_time() - began) / SHARE)

    def _write(self, kept: Mapping[str, bytes]) -> None:
        draft = self.path.with_suffix(".new")
        # Secrets are in it: parameters, keys, sessions.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            pickle.dump(
                (FORMAT, urlsplit(self.context.endpoint).port, self.context.clock.time_scale, kept), file
            )
        draft.replace(self.path)


def _answer(waiting: Iterable[asyncio.Future[None]]) -> None:
    for future in waiting:
        # Whoever waited may be gone, and the loop with them.
        with suppress(RuntimeError):
            future.get_loop().call_soon_threadsafe(_finish, future)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


@again
def dump(part: Part) -> bytes:
    """Return a part's bytes; what it shares with others is written as a name.

    A thread that is at work on one record may write to it without the part's lock.
    """
    file = io.BytesIO()
    with part.lock:
        _Pickler(file, part.shared()).dump(dict(part.keep()))
    return file.getvalue()


def load(part: Part, content: bytes) -> None:
    """Give a part back what it had."""
    part.restore(_Unpickler(io.BytesIO(content), part.shared()).load())


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, shared: Mapping[str, Any]) -> None:
        super().__init__(file, pickle.HIGHEST_PROTOCOL)
        self.names = {id(thing): name for name, thing in shared.items()}

    def persistent_id(self, thing: Any) -> str | None:
        return self.names.get(id(thing))

    def reducer_override(self, thing: Any) -> Any:
        if isinstance(thing, threading.Event):
            return _event, (thing.is_set(),)
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: Mapping[str, Any]) -> None:
        super().__init__(file)
        self.shared = shared

    def persistent_load(self, name: Any) -> Any:
        return self.shared[name]


def _event(is_set: bool) -> threading.Event:
    made = threading.Event()
    if is_set:
        made.set()
    return made
