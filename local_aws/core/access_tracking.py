"""Mappings that record which of their leaves are read: an unread property is a setting without effect."""

import copy
import gc
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, SupportsIndex

_MISSING = object()


class Reads:
    """The leaves of one tree that were read, and weak references to its containers."""

    def __init__(self) -> None:
        self.paths: set[str] = set()
        self.containers: list[tuple[str, weakref.ref[Any]]] = []

    def unread(self, value: Any, unexplained: Callable[[list[str]], list[str]] = list) -> list[str]:
        """Return the paths (`Rules.0.Status`) of `value`'s leaves that were neither read nor stored.

        `unexplained` leaves out those that may be unread. Drop every reference to the tracked tree first: a
        container that is still alive was stored, which counts as a read of all its leaves.
        """
        found = self._unread(value)
        # A reference cycle or a traceback may keep a container alive without any use of it. To collect the
        # whole heap takes a third of a second in a server with much state: only for what will be refused.
        if found:
            gc.collect(1)
            found = unexplained(self._unread(value))
        if found:
            gc.collect()
            found = unexplained(self._unread(value))
        return found

    def _unread(self, value: Any) -> list[str]:
        stored = [path for path, container in self.containers if container() is not None]
        return [path for path in leaves(value) if path not in self.paths and not _is_under(path, stored)]


def _is_under(path: str, parents: list[str]) -> bool:
    return any(parent == "" or path == parent or path.startswith(parent + ".") for parent in parents)


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of scalars, lists of scalars, and empty containers."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}" if path else str(key))
    elif _has_containers(value):
        for number, item in enumerate(value):
            yield from leaves(item, f"{path}.{number}" if path else str(number))
    else:
        yield path


def _has_containers(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, Mapping | list) for item in value)


def track(value: Mapping[str, Any]) -> tuple["TrackedDict", Reads]:
    """Return a dict equal to `value` that records reads at every depth, and its record."""
    reads = Reads()
    return TrackedDict(value, "", reads), reads


def _tracked(value: Any, path: str, reads: Reads) -> Any:
    if isinstance(value, Mapping):
        return TrackedDict(value, path, reads)
    if _has_containers(value):
        return TrackedList(value, path, reads)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in dict.items(value)}
    if isinstance(value, list):
        return [_plain(item) for item in list.__iter__(value)]
    return copy.deepcopy(value)


class TrackedDict(dict[str, Any]):
    """A dict that records which keys are looked up, present or not."""

    def __init__(self, value: Mapping[str, Any], path: str, reads: Reads) -> None:
        self._path = path
        self._reads = reads
        prefix = f"{path}." if path else ""
        super().__init__({key: _tracked(item, f"{prefix}{key}", reads) for key, item in value.items()})
        reads.containers.append((path, weakref.ref(self)))

    def _read(self, key: object) -> None:
        self._reads.paths.add(f"{self._path}.{key}" if self._path else str(key))

    def __getitem__(self, key: str) -> Any:
        self._read(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self._read(key)
        return super().get(key, default)

    def pop(self, key: str, default: Any = _MISSING) -> Any:
        self._read(key)
        return super().pop(key) if default is _MISSING else super().pop(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        self._read(key)
        return super().setdefault(key, default)

    # Overridden so that dict(x) and {**x} call __getitem__.
    def __iter__(self) -> Iterator[str]:
        return super().__iter__()

    def items(self) -> Any:
        for key in dict.keys(self):
            self._read(key)
        return super().items()

    def values(self) -> Any:
        for key in dict.keys(self):
            self._read(key)
        return super().values()

    def copy(self) -> dict[str, Any]:
        return dict(self.items())

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        _read_whole(self, self._path, self._reads)
        return {key: _plain(item) for key, item in dict.items(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (self.__deepcopy__({}),)


class TrackedList(list[Any]):
    """A list of containers that records which items are read; a list of scalars is a leaf."""

    def __init__(self, value: list[Any], path: str, reads: Reads) -> None:
        self._path = path
        self._reads = reads
        super().__init__(_tracked(item, f"{path}.{number}", reads) for number, item in enumerate(value))
        reads.containers.append((path, weakref.ref(self)))

    def _read(self, number: int) -> None:
        self._reads.paths.add(f"{self._path}.{number}")

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        chosen = range(len(self))[index]
        for number in chosen if isinstance(chosen, range) else [chosen]:
            self._read(number)
        return super().__getitem__(index)

    def __iter__(self) -> Iterator[Any]:
        for number in range(len(self)):
            self._read(number)
        return super().__iter__()

    def copy(self) -> list[Any]:
        return list(self)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        _read_whole(self, self._path, self._reads)
        return [_plain(item) for item in list.__iter__(self)]

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (self.__deepcopy__({}),)


def _read_whole(value: Any, path: str, reads: Reads) -> None:
    reads.paths.update(f"{path}.{leaf}" if path and leaf else path or leaf for leaf in leaves(_plain(value)))
