"""The image of a service: its base is the same in each build, and nothing is left that installs."""

from __future__ import annotations

import re
from pathlib import Path

DOCKERFILE = (Path(__file__).resolve().parent.parent / "Dockerfile").read_text("utf-8")
# Without comments, each instruction on one line.
INSTRUCTIONS = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE)).splitlines()


def test_the_base_is_named_by_digest() -> None:
    """Otherwise a layer that another build left in the cache, or a tag that moved, is a part of the image."""
    bases = [each for each in INSTRUCTIONS if each.startswith("FROM ")]
    assert bases
    assert not [each for each in bases if not re.fullmatch(r"FROM \S+@sha256:[0-9a-f]{64}( AS \S+)?", each)]


def test_what_installs_is_removed_in_the_same_layer_and_nothing_is_installed_afterwards() -> None:
    """An instruction is a layer: what a later one removes stays in the image."""
    (installs,) = [each for each in INSTRUCTIONS if " pip install " in each]
    assert re.search(r"--require-hashes .*&&\s+python -m pip uninstall --yes pip setuptools wheel$", installs)
