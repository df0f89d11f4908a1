"""Opens a page as a user's browser shows it: headless Chromium, driven by `open_page.mjs`."""

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
class PageView:
    """A page at one window width, in pixels.

    `requests` are the addresses that it fetched. `focused` is what the Tab key reaches, in order. `unnamed`
    counts images and controls without an accessible name. `regions` are the names of its landmarks.
    `tooltips` are the texts of charts, and `bars` are their rectangles' x and width. `overflow` is how many
    pixels the page is wider than its window. `collapsed_height` is its height before details are opened.
    """

    width: int
    screenshot: str
    collapsed_height: int
    errors: tuple[str, ...]
    requests: tuple[str, ...]
    focused: tuple[str, ...]
    title: str
    language: str
    text: str
    headings: tuple[str, ...]
    landmarks: tuple[str, ...]
    regions: tuple[str, ...]
    unnamed: int
    tooltips: tuple[str, ...]
    bars: tuple[tuple[float, float], ...]
    overflow: int


def open_page(url: str, folder: Path) -> list[PageView]:
    """Open the page at `url` in a wide and a narrow window; screenshots go to `folder`.

    Raises `HarnessError` if there is no browser, or if it fails.
    """
    if not (FOLDER / ".ready").exists():
        raise HarnessError("no browser is set up: run `make .tools/browser/.ready`")
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(  # noqa: S603 - our own script
        [str(Path(sys.prefix) / "bin" / "node"), "open_page.mjs", url, str(folder)],
        cwd=FOLDER,
        env={**os.environ, "TMPDIR": str(FOLDER / "tmp")},
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if done.returncode:
        raise HarnessError(f"the browser failed: {done.stderr.strip()[-800:]}")
    # Lists become tuples: a view is immutable.
    return [PageView(**one) for one in json.loads(done.stdout, object_hook=_frozen)]


def _frozen(members: dict[str, Any]) -> dict[str, Any]:
    return {name: _tuples(value) for name, value in members.items()}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
