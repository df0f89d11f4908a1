"""Imports MiniStack's modules, and checks at import time that the private names we use exist."""

import importlib
from typing import Any


def require(module: str, *names: str) -> Any:
    """Import `ministack.<module>`. Raises `RuntimeError` with the names that the module does not have."""
    found = importlib.import_module(f"ministack.{module}")
    missing = [name for name in names if not hasattr(found, name)]
    if missing:
        raise RuntimeError(
            f"ministack.{module} has no {', '.join(missing)}: local_aws does not support this version"
        )
    return found
