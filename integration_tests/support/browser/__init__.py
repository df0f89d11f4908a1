"""Looks at a page as a person's browser shows it: Chromium without a window, driven by `look.mjs`."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cloud import PROJECT, HarnessError

FOLDER = PROJECT / ".tools" / "browser"
SECONDS = 120


@dataclass(frozen=True)
class Look:
    """What a page is at one width, in pixels.

    `asked` are the addresses that it fetched, `focused` what the Tab key reaches, in order; `unnamed` counts
    pictures and controls that a screen reader has no words for, `regions` are the names of the parts that it
    can go to, `tips` are the words of charts, `bars` their rectangles' x and width, `overflow` is by how
    many pixels the page is wider than its window.
    """

    width: int
    screenshot: str
    errors: tuple[str, ...]
    asked: tuple[str, ...]
    focused: tuple[str, ...]
    title: str
    language: str
    text: str
    headings: tuple[str, ...]
    landmarks: tuple[str, ...]
    regions: tuple[str, ...]
    unnamed: int
    tips: tuple[str, ...]
    bars: tuple[tuple[float, float], ...]
    overflow: int


def look(url: str, folder: Path) -> list[Look]:
    """Return the page at `url`, wide and narrow; screenshots go to `folder`. Raises `HarnessError`."""
    if not (FOLDER / ".ready").exists():
        raise HarnessError("there is no browser here: run `make .tools/browser/.ready`")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603 - our own script
        [str(Path(sys.prefix) / "bin" / "node"), "look.mjs", url, str(folder)],
        cwd=FOLDER,
        env={**os.environ, "TMPDIR": str(FOLDER / "tmp")},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if done.returncode:
        raise HarnessError(f"the browser failed: {done.stderr.strip()[-800:]}")
    # Lists become tuples: what was seen does not change any more.
    return [Look(**one) for one in json.loads(done.stdout, object_hook=_frozen)]


def _frozen(members: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuples(value) for name, value in members.items()}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
