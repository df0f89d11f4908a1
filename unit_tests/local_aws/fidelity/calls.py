"""Wrong calls: valid ones with one member changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Params = Mapping[str, Any]
# Stands for a member that the call does not have.
MISSING: Final = object()
# Callers: the root user, a user without permissions, one with all but those for keys, and an unknown key.
ROOT, STRANGER, KEYLESS, UNKNOWN = "root", "stranger", "keyless", "unknown"


@dataclass(frozen=True)
class Wrong:
    """A value that makes any call with this member wrong, and the code for it.

    It applies to each operation that has the member and declares the code, but those of `besides`.
    """

    member: str
    value: Any
    code: str
    besides: tuple[str, ...] = ()


@dataclass(frozen=True)
class WrongCall:
    """One call and the code that it must get."""

    operation: str
    params: Params
    code: str
    # The caller: one of `Account.callers`.
    caller: str = ROOT
    # The quota of the operation is 0 during the call: a real one needs more resources than a test can create.
    over_quota: bool = False
    # The version of the call's signature; empty: version 4.
    signature: str = ""


def changed(params: Params, members: Params) -> Params:
    """Return a call with other members."""
    return {name: value for name, value in {**params, **members}.items() if value is not MISSING}


def resolve(value: Any, values: Mapping[str, Any]) -> Any:
    """Return a value of a call with the prepared values in the place of their names."""
    if isinstance(value, str) and value.startswith("$"):
        return values[value[1:]]
    if isinstance(value, Mapping):
        return {name: resolve(item, values) for name, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, values) for item in value]
    return value
