"""The optional settings of an environment, which a later deployment could drop (pitfall C11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, TypeAlias

from infrastructure.config.account_options import several
from infrastructure.config.context_key import camel
from infrastructure.config.notification_channel import is_placeholder

# Config or an instance of it; its module imports this one.
AnyConfig: TypeAlias = Any

# They say where and how to deploy: no resource depends on them. To drop an exception admits less, not more.
_NOT_OF_THE_ENVIRONMENT = frozenset(
    {"environmentSuffix", "account", "allowHttp", "dropSettings", "imageScanExceptions"}
)

# Former settings, which a deployed environment may still have, and must be able to drop.
_FORMER = frozenset({"trustedAccounts"})


def optional_fields(config: AnyConfig) -> dict[str, Field[Any]]:
    """Return the fields of Config that a deployment may leave out, by their context keys."""
    keys = {camel(entry.name): entry for entry in fields(config) if entry.metadata}
    return {
        key: entry
        for key, entry in keys.items()
        if entry.default is not MISSING and key not in _NOT_OF_THE_ENVIRONMENT
    }


def given_settings(config: AnyConfig) -> dict[str, str]:
    """Return the optional settings that are given, as text.

    The placeholder of an e-mail address is not given: to return to it is to drop the address.
    """
    values = {key: (entry, getattr(config, entry.name)) for key, entry in optional_fields(config).items()}
    given = {key: _as_text(value) for key, (entry, value) in values.items() if value != entry.default}
    if is_placeholder(given.get("notificationEmail", "")):
        del given["notificationEmail"]
    return given


def chosen_defaults(config: AnyConfig, values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the keys whose default is written out, as `false`: to write it is to mean it."""
    optional = optional_fields(config)
    return tuple(key for key, value in values.items() if key in optional and value == optional[key].default)


def read_names(value: object, config: AnyConfig) -> tuple[str, ...]:
    """Accept names of optional settings, as a list or comma-separated."""
    known = optional_fields(config).keys() | _FORMER
    names = several(re.compile(r"[A-Za-z]+"), len(known))(value)
    if not known >= set(names):
        raise ValueError
    return names


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
