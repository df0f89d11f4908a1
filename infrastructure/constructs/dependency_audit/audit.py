"""Compare the pins of requirements files with a database of advisories, offline.

CodeBuild runs this file on Python 3.9 before anything of the commit runs. `make advisories` writes the
database: of each package its advisories by name, each with the ranges of versions that it concerns.
Exit code 1: a finding without an exception that still counts. Exit code 2: the input cannot be read.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, NoReturn

# What was published later than this many days ago may be missing, and the audit says so.
FRESH_DAYS = 30
# name==version, with extras and a marker; hashes are pip's to check.
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==([A-Za-z0-9.!+_-]+)\s*(?:;.*)?")
_HASH = re.compile(r"\s--hash=\S+")
# https://packaging.python.org/en/latest/specifications/version-specifiers/#appendix-parsing-version-strings-with-regular-expressions
_VERSION = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>a|b|c|rc|alpha|beta|pre|preview)[-_.]?(?P<pre_number>\d*))?"
    r"(?P<post>[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>\d*)|-(?P<implicit>\d+))?"
    r"(?:(?P<dev>[-_.]?dev)[-_.]?(?P<dev_number>\d*))?(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)
_PHASES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}
# Before and after every number.
_FIRST, _LAST = -1, sys.maxsize
Key = tuple[Any, ...]


class InputError(Exception):
    """The input cannot be read; the message says where and why."""


@dataclass(frozen=True)
class Pin:
    """A package and the version that a requirements file installs."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


@dataclass(frozen=True)
class Exemption:
    """An exception: its finding does not count up to and including the day `until`."""

    finding: str
    until: str
    reason: str


def version_key(text: str) -> Key:
    """Return what orders a version as PEP 440 does; a local version counts as its public one."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is not a version")
    release = match["release"].split(".")
    while len(release) > 1 and not int(release[-1]):
        release.pop()
    dev = _number(match["dev_number"]) if match["dev"] else _LAST
    post = _number(match["post_number"] or match["implicit"]) if match["post"] else _FIRST
    return (_number(match["epoch"]), [int(part) for part in release], _pre_release(match), post, dev)


def _number(text: str | None) -> int:
    return int(text or 0)


def _pre_release(match: re.Match[str]) -> tuple[int, int]:
    if match["pre"]:
        return (_PHASES[match["pre"].lower()], _number(match["pre_number"]))
    # A development release precedes the pre-releases, unless it is one of a post-release.
    return (_FIRST, 0) if match["dev"] and not match["post"] else (_LAST, 0)


def normalized(name: str) -> str:
    """Return the name of a package as the index has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_pins(path: Path) -> Iterator[Pin]:
    """Yield the pins of a requirements file. Raises InputError for anything else than a pin."""
    text = re.sub(r"\\\n", " ", path.read_text("utf-8"))
    for line in text.splitlines():
        requirement = _HASH.sub("", re.sub(r"(^|\s)#.*", "", line)).strip()
        if not requirement:
            continue
        match = _PIN.fullmatch(requirement)
        if match is None:
            rule = "NAME==VERSION: options, URLs and ranges are refused"
            raise InputError(f"{path}: {requirement!r} is not {rule}")
        version_key(match[2])
        yield Pin(normalized(match[1]), match[2])


def concerns(pin: Pin, ranges: Sequence[Sequence[str]]) -> bool:
    """Say whether a pin is in a range of an advisory: from a first version to an end, if there is one."""
    version = version_key(pin.version)
    return any(version >= version_key(first) and _is_before(version, end) for first, end in ranges)


def _is_before(version: Key, end: str) -> bool:
    if end.startswith("<="):
        return version <= version_key(end[2:])
    return not end or version < version_key(end[1:])


def _described(pin: Pin, name: str, ranges: Sequence[Sequence[str]]) -> str:
    fixed = [end[1:] for _, end in ranges if end.startswith("<") and not end.startswith("<=")]
    return f"{pin}: {name}, {'fixed in ' + ', '.join(fixed) if fixed else 'no fixed version is known'}"


def read_exemptions(path: Path) -> dict[str, Exemption]:
    """Return the exceptions by the name of their finding. Raises InputError for one that is not whole."""
    found = {}
    for one in _json(path):
        is_whole = set(one) == {"finding", "until", "reason"} and all(one.values())
        if not is_whole:
            raise InputError(f"{path}: an exception has a finding, until and a reason: {json.dumps(one)}")
        try:
            date.fromisoformat(one["until"])
        except ValueError as error:
            raise InputError(f"{path}: {one['finding']} is until {one['until']!r}, not YYYY-MM-DD") from error
        found[one["finding"]] = Exemption(**one)
    return found


def audit(
    pins: Sequence[Pin], database: Mapping[str, Any], exemptions: Mapping[str, Exemption], today: str
) -> list[str]:
    """Print a line for each finding; return those that count."""
    counting = []
    for pin in pins:
        advisories = database["packages"].get(pin.name)
        if advisories is None:
            print(f"warning: {pin} is not in the database: nothing is known of it")
            continue
        for name in sorted(one for one, ranges in advisories.items() if concerns(pin, ranges)):
            line, exemption = _described(pin, name, advisories[name]), exemptions.get(name)
            if exemption is None:
                counting.append(line)
            elif exemption.until < today:
                counting.append(f"{line} (its exception expired on {exemption.until})")
            else:
                print(f"excepted until {exemption.until}: {line}: {exemption.reason}")
    for line in counting:
        print(f"finding: {line}")
    return counting


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit the requirements files; return the exit code."""
    parser = Parser(description=__doc__.partition("\n")[0])
    parser.add_argument("--advisories", type=Path, required=True, help="the database")
    parser.add_argument("--exceptions", type=Path, required=True, help="the exceptions")
    parser.add_argument("requirements", type=Path, nargs="+")
    given = parser.parse_args(arguments)
    now = datetime.now(timezone.utc).date()
    try:
        database = _json(given.advisories)
        pins = sorted({pin for path in given.requirements for pin in read_pins(path)}, key=str)
        age = (now - date.fromisoformat(database["updated"])).days
        counting = audit(pins, database, read_exemptions(given.exceptions), now.isoformat())
    except (InputError, OSError, ValueError, KeyError, TypeError) as error:
        print(f"error: {error if isinstance(error, (InputError, OSError)) else repr(error)}", file=sys.stderr)
        return 2
    if age > FRESH_DAYS:
        print(f"warning: the database is {age} days old: later advisories are unknown; run make advisories")
    print(f"{len(pins)} packages, database of {database['updated']}: {len(counting)} findings stop the build")
    return 1 if counting else 0


class Parser(argparse.ArgumentParser):
    """Report a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
