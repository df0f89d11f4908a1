"""Who receives the notifications of failures: an e-mail address, or another channel."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from infrastructure.config.context_key import COMMAND_LINE, ConfigError, example_of

EMAIL, OTHER = "email", "other"
CHANNELS = (EMAIL, OTHER)
ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]+@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
# Domains that belong to nobody (pitfall G4): https://www.rfc-editor.org/rfc/rfc2606
RESERVED = re.compile(r"(.*[@.])example(\.(com|net|org))?", re.IGNORECASE)


def is_placeholder(address: str) -> bool:
    """Return whether an address is in a domain that is reserved for examples, so it reaches nobody."""
    return RESERVED.fullmatch(address) is not None


def check_channel(values: Mapping[str, Any], *, path: str = "", place: str = COMMAND_LINE) -> None:
    """Raise ConfigError if failures are sent by e-mail, and there is no address."""
    if values.get("notificationChannel", EMAIL) == EMAIL and values.get("notificationEmail") is None:
        rule = f"one e-mail address, unless notificationChannel is {OTHER}"
        example = example_of("notificationEmail", "team@example.com", place)
        raise ConfigError(f"{path}notificationEmail", None, rule, example, place=place)
