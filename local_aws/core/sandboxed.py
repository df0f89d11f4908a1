"""How the programs of builds and tasks start: in a sandbox, or as they are."""

from collections.abc import Callable, Sequence
from pathlib import Path

# (words, folder) -> the command that runs `words` in `folder`.
Sandboxed = Callable[[Sequence[str], Path], list[str]]


def as_it_is(words: Sequence[str], _folder: Path) -> list[str]:
    """Run a program without a sandbox."""
    return list(words)
