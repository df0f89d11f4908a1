"""The catalogue of services in cdk.json, as far as the commands need it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CDK_JSON = Path(__file__).resolve().parents[1] / "cdk.json"
# Its environments have no prefix.
SAMPLE = "sample-service"

Context = Mapping[str, Any]


def read_context(path: Path) -> Context:
    """Return the context of a cdk.json."""
    context: Context = json.loads(path.read_text())["context"]
    return context


def service_of(suffix: str, context: Context) -> str:
    """Return the longest name of the catalogue that the suffix begins with, or that of the sample."""
    names = [name for name in context.get("services", {}) if suffix.startswith(f"{name}-")]
    return max(names, key=len, default=SAMPLE)


def entry_of(suffix: str, context: Context) -> Mapping[str, Any]:
    """Return the entry of the service that a suffix begins with; the sample needs none."""
    entry: Mapping[str, Any] = context.get("services", {}).get(service_of(suffix, context), {})
    return entry
