"""The catalogue of services in cdk.json, as far as the harness's commands need it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.cloud import PROJECT, HarnessError

SAMPLE = "sample-service"
LONGEST_ENVIRONMENT = 12
HEALTH_PATH = "/health"


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


def service_of(suffix: str, entries: Mapping[str, Any]) -> str:
    """Return the service that a suffix begins with, or the sample service."""
    named = [name for name in entries if name != SAMPLE and suffix.startswith(f"{name}-")]
    return max(named, key=len, default=SAMPLE)


def check_suffix(suffix: str, project: Path = PROJECT) -> None:
    """Raise `HarnessError` for a suffix that `cdk deploy` would refuse, before anything is started for it.

    The app's own rule (pitfall L); a unit test compares.
    """
    entries = services(project)
    if suffix in entries:
        raise HarnessError(f"{suffix} is a service, not an environment: SUFFIX={suffix}-dev, or SUFFIX=dev")
    name = service_of(suffix, entries)
    environment = suffix if name == SAMPLE else suffix.removeprefix(f"{name}-")
    if len(environment) > LONGEST_ENVIRONMENT:
        names = ", ".join(f"{one}-" for one in entries if one != SAMPLE)
        raise HarnessError(
            f"{suffix} is too long: an environment has at most {LONGEST_ENVIRONMENT} characters"
            + (f", after {names} if it is one of a service" if names else "")
        )


def page_path(suffix: str, project: Path = PROJECT) -> str:
    """Return the last path that the test-traffic hook requests, which is the least like a health check."""
    entries = services(project)
    entry = entries[service_of(suffix, entries)]
    health = {"path": entry.get("healthPath", HEALTH_PATH)}
    return str(entry.get("smokePaths", [health])[-1]["path"])


def code_folder(suffix: str, project: Path = PROJECT) -> Path:
    """Return the folder that seeds the repository of an environment: its service's, or the sample's."""
    entries = services(project)
    name = service_of(suffix, entries)
    if name == SAMPLE:
        return project / "sample_service"
    return project / str(entries[name].get("folder", f"services/{name}"))
