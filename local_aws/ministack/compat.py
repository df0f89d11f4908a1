"""Checks, when a module of ours is imported, that the private names of MiniStack it touches are there."""

import importlib
from typing import Any


def require(module: str, *names: str) -> Any:
    """Import `ministack.<module>` and return it; raise `RuntimeError` naming what a new version lacks."""
    found = importlib.import_module(f"ministack.{module}")
    missing = [name for name in names if not hasattr(found, name)]
    if missing:
        raise RuntimeError(
            f"ministack.{module} has no {', '.join(missing)}: local_aws does not know this version"
        )
    return found
