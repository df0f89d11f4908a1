"""Read what `cdk diff` prints, and show a difference of many environments once.

What the CLI says of IAM, of security groups, and of what is replaced or deleted is kept in its words; of
anything else only the name, since its text differs in nothing that somebody has to decide.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from operations.errors import OperationsError

Kind: TypeAlias = Literal["IAM", "Security groups", "Replaced or deleted", "Other"]
KINDS: tuple[Kind, ...] = ("IAM", "Security groups", "Replaced or deleted", "Other")
TABLES: Mapping[str, Kind] = {
    "IAM Statement Changes": "IAM",
    "IAM Policy Changes": "IAM",
    "Security Group Changes": "Security groups",
}
SUMMARY = re.compile(r"Number of stacks with differences: (\d+)")
ENTRY = re.compile(r"\[([+~-])\] \S+ \S+")
# What the CLI says behind a resource: https://docs.aws.amazon.com/cdk/v2/guide/ref-cli-cmd-diff.html
IMPACT = re.compile(r" (replace|may be replaced|destroy|orphan)( \(.*\))?$")
# Its template's hash: what differs in the nested stack follows.
NESTED = "[~] AWS::CloudFormation::Stack "
# In place of the name of an environment.
SUFFIX = "SUFFIX"


@dataclass(frozen=True)
class Difference:
    """One row of a table, or one resource; `details` are the lines below it."""

    kind: Kind
    text: str
    details: tuple[str, ...] = ()


# The templates differ, and no resource does.
UNNAMED = Difference("Other", "[~] the template, in nothing that cdk diff names")


@dataclass(frozen=True)
class Folded:
    """A difference, and the environments that have it; their names are `SUFFIX` in it."""

    kind: Kind
    text: str
    details: tuple[str, ...]
    environments: tuple[str, ...]


def parse(output: str) -> list[Difference]:
    """Return the differences in the output of `cdk diff`. Raises `OperationsError` if it is none."""
    if (stacks := SUMMARY.search(output)) is None:
        raise OperationsError("cdk diff has printed no number of stacks: is another release of it installed?")
    found = list(_differences(output.splitlines()))
    return found or [UNNAMED] * (stacks[1] != "0")


def fold(by_suffix: Mapping[str, Sequence[Difference]]) -> list[Folded]:
    """Return each difference once, by its kind in the order of `KINDS`, the most frequent first."""
    environments: dict[Difference, list[str]] = {}
    for suffix, differences in by_suffix.items():
        for each in dict.fromkeys(_anonymous(one, suffix) for one in differences):
            environments.setdefault(each, []).append(suffix)
    folded = [
        Folded(each.kind, each.text, each.details, tuple(names)) for each, names in environments.items()
    ]
    return sorted(
        folded, key=lambda each: (KINDS.index(each.kind), -len(each.environments), each.environments)
    )


def _anonymous(one: Difference, suffix: str) -> Difference:
    name = re.compile(rf"(?<![a-z0-9]){re.escape(suffix)}(?![a-z0-9])")
    details = tuple(name.sub(SUFFIX, line) for line in one.details)
    return Difference(one.kind, name.sub(SUFFIX, one.text), details)


def _differences(lines: Sequence[str]) -> Iterator[Difference]:
    kind: Kind = "Other"
    for number, line in enumerate(lines):
        if line in TABLES:
            kind = TABLES[line]
            yield from _rows(kind, lines[number + 1 :])
        elif ENTRY.match(line) and not line.startswith(NESTED):
            yield _entry(line, lines[number + 1 :])


def _rows(kind: Kind, lines: Sequence[str]) -> Iterator[Difference]:
    """Yield the rows of a table, whose cells may have several lines; its head has no sign."""
    cells: list[list[str]] = []
    for line in lines:
        if line.startswith("│"):
            parts = [part.strip() for part in line.strip("│").split("│")]
            cells = [[*before, part] for before, part in zip(cells or [[]] * len(parts), parts, strict=True)]
            continue
        texts = [" ".join(filter(None, cell)) for cell in cells]
        if texts and texts[0]:
            yield Difference(kind, " ".join(filter(None, texts)))
        cells = []
        if not line.startswith(("┌", "├")):
            return


def _entry(line: str, below: Sequence[str]) -> Difference:
    impact = IMPACT.search(line)
    name = " ".join(line.split()[:3])
    if impact is None:
        return Difference("Other", name)
    indented = next((number for number, each in enumerate(below) if not each.startswith(" ")), len(below))
    return Difference("Replaced or deleted", f"{name}{impact[0]}", tuple(below[:indented]))
