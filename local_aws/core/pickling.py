"""Reads pickles that contain data only: whoever can write a file of the state folder must not run code by it.

https://docs.python.org/3/library/pickle.html#restricting-globals
"""

import dataclasses
import io
import pickle
from collections.abc import Mapping
from typing import Any

_PLAIN = frozenset(
    {
        *(
            ("builtins", name)
            for name in ("bytearray", "dict", "float", "frozenset", "int", "list", "set", "str")
        ),
        *(("collections", name) for name in ("OrderedDict", "defaultdict", "deque")),
        *(("datetime", name) for name in ("date", "datetime", "timedelta", "timezone")),
        *(("dateutil.tz.tz", name) for name in ("tzlocal", "tzutc")),
        ("local_aws.persistence.snapshots", "_event"),
    }
)
# What stands for a shared object, with its name.
SHARED = ("local_aws.persistence.snapshots", "_shared")
# The records of services are dataclasses, except for these.
_SERVICES = "local_aws.services."
_RECORDS = frozenset(
    {("local_aws.services.codebuild.records", "BuildRecord"), ("local_aws.services.codedeploy.tags", "Tags")}
)


class DataUnpickler(pickle.Unpickler):
    """Unpickles plain data and the records of services. `shared` are the objects that it has by name."""

    def __init__(self, content: bytes, shared: Mapping[str, Any] | None = None) -> None:
        super().__init__(io.BytesIO(content))
        self.shared = shared or {}

    def find_class(self, module: str, name: str) -> Any:
        """Return a class that is data. Raises `UnpicklingError` for any other, and for functions."""
        if (module, name) == SHARED:
            return self.shared.__getitem__
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith(_SERVICES) and "." not in name:
            found = super().find_class(module, name)
            if isinstance(found, type) and is_data(found) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is not data")


def is_data(kind: type) -> bool:
    """Return whether instances of a class may be in a snapshot."""
    place = (kind.__module__, kind.__qualname__)
    if place in _PLAIN or place in _RECORDS:
        return True
    return kind.__module__.startswith(_SERVICES) and dataclasses.is_dataclass(kind)


def loads(content: bytes) -> Any:
    """Return the data of a pickle. Raises `UnpicklingError`."""
    return DataUnpickler(content).load()
