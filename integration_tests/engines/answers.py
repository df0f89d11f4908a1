"""What AWS's APIs answer on each engine, field by field, and where the answers differ."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

# What no two runs have in common, by what is put in its place.
_OWN = (
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:<digest>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "<hex>"),
    (re.compile(r"\bit[0-9a-f]{8}\b"), "<suffix>"),
    (re.compile(r"\bASIA[0-9A-F]{16}\b"), "<key>"),
    (re.compile(r"\bFwoGZX\w+"), "<token>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(Z|[ +-]\d{2}:?\d{2}|\b)"), "<time>"),
    (re.compile(r"\b\d+(\.\d+){3}\b"), "<address>"),
    (re.compile(r"\bd-[A-Z0-9]{9}\b"), "d-<deployment>"),
    (re.compile(r"(?<=pid: )\d+|\(\d+\)(?=\")"), "<pid>"),
    (re.compile(r":[1-6]\d{4}\b"), ":<port>"),
)
Fields = dict[str, str]


class Answers:
    """The fields that were read on each engine, by their names: the part of the play, and the path."""

    def __init__(self) -> None:
        self.of: dict[str, Fields] = {}

    def record(self, engine: str, part: str, content: Any) -> None:
        """Add what an API has answered on an engine."""
        fields = self.of.setdefault(engine, {})
        for path, value in flatten(content):
            fields[f"{part}: {path}" if path else part] = value

    def differences(self) -> dict[str, tuple[str, ...]]:
        """Return the fields that are not the same everywhere, with their values engine by engine."""
        names = sorted({name for fields in self.of.values() for name in fields})
        values = {name: tuple(fields.get(name, "-") for fields in self.of.values()) for name in names}
        return {name: each for name, each in values.items() if len(set(each)) > 1}

    def table(self, reasons: Mapping[str, str]) -> str:
        """Return a line for each part, and the fields that differ, each with its reason."""
        different = self.differences()
        parts: dict[str, list[bool]] = {}
        for name in dict.fromkeys(name for fields in self.of.values() for name in fields):
            parts.setdefault(name.partition(":")[0], []).append(name not in different)
        lines = [f"{'part':<44}fields   the same on {', '.join(self.of)}"]
        lines += [f"{part:<44}{len(same):>6}   {sum(same)}" for part, same in parts.items()]
        for name, values in different.items():
            lines += ["", f"{name} ({reason_of(name, reasons) or 'UNEXPLAINED'})"]
            lines += [f"    {engine:<10} {value}" for engine, value in zip(self.of, values, strict=True)]
        return "\n".join(lines)


def reason_of(name: str, reasons: Mapping[str, str]) -> str:
    """Return the reason of the first pattern, as of a shell, that a field's name matches, or nothing."""
    return next((reason for pattern, reason in reasons.items() if fnmatchcase(name, pattern)), "")


def flatten(content: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each value inside of an answer with its path; what each run has anew is replaced."""
    if isinstance(content, Mapping):
        for key in sorted(content):
            yield from flatten(content[key], f"{path}.{key}" if path else str(key))
    elif isinstance(content, list | tuple) and content:
        for number, one in enumerate(content):
            yield from flatten(one, f"{path}[{number}]")
    else:
        yield path, "<time>" if isinstance(content, datetime) else without_own(str(content))


def without_own(text: str) -> str:
    """Replace what each run has anew: digests, ids, times, addresses."""
    for pattern, instead in _OWN:
        text = pattern.sub(instead, text)
    return text
