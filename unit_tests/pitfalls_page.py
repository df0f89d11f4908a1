"""docs/pitfalls.md: its entries, and what is wrong with the form of one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PAGE = PROJECT / "docs" / "pitfalls.md"
PARTS = ("Symptom", "AWS says", "Design", "Source", "Test")
SECTION = re.compile(r"^## ([A-Z])\. (.+)$", re.M)
# The heading with what stands before it, then everything up to the next entry or section.
ENTRY = re.compile(r"(?:^<a id=\"(\w+)\"></a>\n\n)?^### (.+)\n((?:(?!<a id|##).*\n?)*)", re.M)
HEADING = re.compile(r"([A-Z]\d*) — (\S.+)")
PART = re.compile(r"^- \*\*(.+?)\*\*:[ \n]+(\S.*(?:\n  .*)*)", re.M)
NAMES = re.compile(r"(Walked into|Held) by ((?:`\w+`(?:,\s+)?)+)")
REASON = re.compile(r"(?:None|No test walks into it): (.+)")


@dataclass(frozen=True)
class Pitfall:
    """One entry of the page; `anchor` is the id before its heading, empty if there is none."""

    key: str
    title: str
    anchor: str
    parts: Mapping[str, str]

    @property
    def walkers(self) -> list[str]:
        """Tests that make the wrong change and meet AWS's error."""
        return self._names("Walked into")

    @property
    def holders(self) -> list[str]:
        """Tests and rules that hold the design."""
        return self._names("Held")

    @property
    def reason(self) -> str:
        """Why no test walks into it, where the page says so."""
        found = REASON.search(self.parts.get("Test", ""))
        return found[1] if found else ""

    def _names(self, how: str) -> list[str]:
        said = self.parts.get("Test", "")
        return [name for by, names in NAMES.findall(said) if by == how for name in re.findall(r"\w+", names)]


def read(page: str) -> list[Pitfall]:
    """Return the entries in their order; one whose heading has no key gets the whole heading for it."""
    found = []
    for anchor, heading, body in ENTRY.findall(page):
        parts = {name: " ".join(text.split()) for name, text in PART.findall(body)}
        match = HEADING.fullmatch(heading)
        key, title = (match[1], match[2]) if match else (heading, "")
        found.append(Pitfall(key, title, anchor, parts))
    return found


def faults(pitfall: Pitfall) -> Iterator[str]:
    """Say what is wrong with the form of an entry."""
    if not pitfall.title:
        yield f"the heading '{pitfall.key}' is not of the form 'C5 — what happens'"
    if pitfall.anchor != pitfall.key.lower():
        yield f"{pitfall.key} has the anchor '{pitfall.anchor}': write <a id=\"{pitfall.key.lower()}\"></a>"
    if tuple(pitfall.parts) != PARTS:
        yield f"{pitfall.key} has the parts {', '.join(pitfall.parts)}, not {', '.join(PARTS)}"
    if not re.search(r"\(https://\S+\)", pitfall.parts.get("Source", "")):
        yield f"{pitfall.key} links to no source"


def keys_in_order(page: str) -> list[str]:
    """Return the keys that the sections are to have: C1, C2 and so on, or the letter where there is one."""
    keys = [pitfall.key for pitfall in read(page)]
    expected = []
    for letter, _ in SECTION.findall(page):
        count = sum(key.startswith(letter) for key in keys)
        expected += [letter] if letter in keys else [f"{letter}{number + 1}" for number in range(count)]
    return expected


def contents(page: str) -> str:
    """Return the page's table of contents, as its sections and entries give it."""
    keys = [pitfall.key for pitfall in read(page)]
    return "\n".join(
        f"- [{letter}. {name}](#{slug(f'{letter}. {name}')}): "
        + ", ".join(f"[{key}](#{key.lower()})" for key in keys if key.startswith(letter))
        for letter, name in SECTION.findall(page)
    )


def anchors(page: str) -> set[str]:
    """Return what a link to the page may name behind its `#`."""
    headings = re.findall(r"^#+ (.+)$", page, re.M)
    return {*re.findall(r'<a id="(\w+)">', page), *map(slug, headings)}


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def table(keys: Iterable[str], walked_into: set[str], held: set[str]) -> str:
    """Return the page's table of how each entry is tested."""
    every = list(keys)
    rows = {
        "a test walks into it, and meets AWS's error": [key for key in every if key in walked_into],
        "a test holds the design": [key for key in every if key in held - walked_into],
        "no test, for the reason given": [key for key in every if key not in held | walked_into],
    }
    lines = [f"| {how} | {len(some)} | {', '.join(some)} |" for how, some in rows.items()]
    return "\n".join([f"| of {len(every)} pitfalls | number | which |", "|---|---|---|", *lines])
