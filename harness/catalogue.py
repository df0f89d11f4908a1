"""The catalogue of services in cdk.json, as far as the harness's commands need it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cloud import PROJECT, HarnessError

SAMPLE = "sample-service"


def services(project: Path = PROJECT) -> Mapping[str, Any]:
    """Return the entries of the catalogue; the sample service needs none."""
    context = json.loads((project / "cdk.json").read_text("utf-8")).get("context", {})
    return {SAMPLE: {}, **context.get("services", {})}


def check_catalogue(name: str, project: Path = PROJECT) -> None:
    """Raise `HarnessError` for a service that is not in the catalogue of cdk.json."""
    known = list(services(project))
    if name not in known:
        raise HarnessError(
            f"the catalogue of cdk.json has no service {name!r}, only {', '.join(known)}: "
            f"make check-service NAME={known[-1]}, or make new-service NAME={name}"
        )


def code_folder(suffix: str, project: Path = PROJECT) -> Path:
    """Return the folder that seeds the repository of an environment: its service's, or the sample's."""
    entries = services(project)
    named = [name for name in entries if name != SAMPLE and suffix.startswith(f"{name}-")]
    if not named:
        return project / "sample_service"
    name = max(named, key=len)
    return project / str(entries[name].get("folder", f"services/{name}"))
