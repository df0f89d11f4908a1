"""The cron expression of the rule DeploymentWindow: the seconds in which a stage may be entered.

https://docs.aws.amazon.com/codepipeline/latest/userguide/rule-reference-DeploymentWindow.html
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# Of each field: its name, its first and its last value, and the names of its values.
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("Seconds", 0, 59, ()),
    ("Minutes", 0, 59, ()),
    ("Hours", 0, 23, ()),
    ("Day-of-month", 1, 31, ()),
    ("Month", 1, 12, MONTHS),
    ("Day-of-Week", 1, 7, DAYS),
    ("Year", 1970, 2199, ()),
)
EVERY = ("*", "?")
_PART = re.compile(r"(?P<first>\*|\w+)(-(?P<last>\w+))?(/(?P<step>\d+))?")
_NOT_EVALUATED = re.compile(r"\dW|^L|\dL$")


class CronError(ValueError):
    """The expression is not one; the message says why."""


class UnsupportedCronError(ValueError):
    """The expression has L, W or #, which are not evaluated here."""


@dataclass(frozen=True)
class Window:
    """The values of each field in which the window is open."""

    fields: tuple[frozenset[int], ...]
    # By name, since a snapshot holds plain data.
    zone: str

    def is_open(self, time: datetime) -> bool:
        """Say whether a time is in the window."""
        local = time.astimezone(ZoneInfo(self.zone))
        now = (local.second, local.minute, local.hour, local.day, local.month)
        weekday = local.isoweekday() % 7 + 1
        return all(
            value in field for value, field in zip((*now, weekday, local.year), self.fields, strict=True)
        )


def read_window(cron: str, zone: str) -> Window:
    """Read an expression of six or seven fields. Raises CronError or UnsupportedCronError."""
    given = cron.split()
    if len(given) not in (len(FIELDS) - 1, len(FIELDS)):
        raise CronError(f"it has {len(given)} fields, not 6 or 7")
    if len(given) < len(FIELDS):
        given.append("*")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise CronError(f"{zone!r} is no time zone") from error
    pairs = zip(given, FIELDS, strict=True)
    return Window(tuple(frozenset(_values(text.upper(), *field)) for text, field in pairs), zone)


def _values(text: str, name: str, first: int, last: int, names: tuple[str, ...]) -> Iterator[int]:
    """Yield the values of a field."""
    if text in EVERY:
        yield from range(first, last + 1)
        return
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or _NOT_EVALUATED.search(part):
            raise UnsupportedCronError(f"{part} of {name}")
        start = first if match["first"] == "*" else _value(match["first"], name, first, names)
        end = _end(match, start, last, lambda given: _value(given, name, first, names))
        if not first <= start <= end <= last:
            raise CronError(f"{part} of {name} is not in {first}-{last}")
        yield from range(start, end + 1, max(1, int(match["step"] or 1)))


def _end(match: re.Match[str], start: int, last: int, value: Callable[[str], int]) -> int:
    """Return the last value of a range: its own, or the field's if it has a step or no first one."""
    if match["last"]:
        return value(match["last"])
    return last if match["step"] or match["first"] == "*" else start


def _value(text: str, name: str, first: int, names: tuple[str, ...]) -> int:
    if text in names:
        return names.index(text) + first
    if not text.isdecimal():
        raise CronError(f"{text} is no value of {name}")
    return int(text)
