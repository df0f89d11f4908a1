"""Write the database of advisories that the dependency audit reads, from OSV: `make advisories`."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infrastructure.constructs.dependency_audit import ADVISORIES
from infrastructure.constructs.dependency_audit.audit import normalized, read_pins, version_key

PROJECT = Path(__file__).resolve().parent.parent
# What the pipelines install: the sample's, and those of the services of the catalogue.
REQUIREMENTS = ("sample_service/requirements*.txt", "services/*/service/requirements*.txt")
# https://google.github.io/osv.dev/post-v1-query/
QUERY = "https://api.osv.dev/v1/query"
TIMEOUT_SECONDS = 30.0
# The ranges of versions by the name of the advisory.
Advisories = dict[str, list[list[str]]]


def packages(project: Path = PROJECT) -> list[str]:
    """Return the packages that the services pin, with a version or another."""
    paths = [path for pattern in REQUIREMENTS for path in project.glob(pattern)]
    return sorted({pin.name for path in paths for pin in read_pins(path)})


def advisories_of(package: str, url: str = QUERY) -> Iterator[dict[str, Any]]:
    """Yield OSV's records about a package, whatever the version, but those that were withdrawn."""
    query: dict[str, Any] = {"package": {"name": package, "ecosystem": "PyPI"}}
    while True:
        request = urllib.request.Request(url, json.dumps(query).encode())  # noqa: S310 - OSV's own
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - OSV's own
            page = json.load(response)
        yield from (advisory for advisory in page.get("vulns", ()) if "withdrawn" not in advisory)
        if not page.get("next_page_token"):
            return
        query["page_token"] = page["next_page_token"]


def by_name(package: str, advisories: Iterable[Mapping[str, Any]]) -> Advisories:
    """Return the ranges of each vulnerability; records of the same, as of GitHub and of PyPA, are joined.

    The database is part of a buildspec, whose length CodeBuild limits: hence one name for each, and no texts.
    """
    found: Advisories = {}
    for advisory in advisories:
        names = [advisory["id"], *advisory.get("aliases", ())]
        name = next((one for one in sorted(names) if one.startswith("CVE-")), advisory["id"])
        for affected in advisory.get("affected", ()):
            if _is_of(affected.get("package", {}), package):
                ranges = found.setdefault(name, [])
                ranges += [one for one in ranges_of(affected) if one not in ranges]
    return {name: sorted(found[name]) for name in sorted(found)}


def _is_of(named: Mapping[str, str], package: str) -> bool:
    return named.get("ecosystem") == "PyPI" and normalized(named["name"]) == package


def ranges_of(affected: Mapping[str, Any]) -> list[list[str]]:
    """Return the first version and the end of each range: `<1.4`, `<=1.3`, or nothing.

    Where there is none, as of a malicious release, the versions are listed.
    https://ossf.github.io/osv-schema/#affectedranges-field
    """
    ranges = [one["events"] for one in affected.get("ranges", ()) if one["type"] == "ECOSYSTEM"]
    found = [one for events in ranges for one in _ranges(events)]
    return found or [[version, f"<={version}"] for version in affected.get("versions", ())]


def _ranges(events: Iterable[Mapping[str, str]]) -> list[list[str]]:
    """Pair each first version with its end; the order of the events means nothing."""
    found: list[list[str]] = []
    for event in sorted(events, key=lambda each: version_key(next(iter(each.values())))):
        if "introduced" in event:
            found.append([event["introduced"], ""])
        elif "fixed" in event:
            found[-1][1] = f"<{event['fixed']}"
        elif "last_affected" in event:
            found[-1][1] = f"<={event['last_affected']}"
    return found


def main(url: str = QUERY, target: Path = ADVISORIES) -> int:
    """Fetch the advisories of every package; write them only once all have been fetched."""
    names = packages()
    found = {name: by_name(name, advisories_of(name, url)) for name in names}
    updated = datetime.now(UTC).date().isoformat()
    target.write_text(formatted("https://osv.dev, CC-BY 4.0", updated, found), "utf-8")
    print(f"{sum(map(len, found.values()))} advisories of {len(names)} packages: {target}")
    return 0


def formatted(source: str, updated: str, found: Mapping[str, Advisories]) -> str:
    """Return the database as JSON with a line for each package, so that a change is one line."""
    lines = (f"  {json.dumps(name)}: {json.dumps(found[name])}" for name in sorted(found))
    head = f'"source": {json.dumps(source)},\n"updated": {json.dumps(updated)},\n'
    return f'{{\n{head}"packages": {{\n' + ",\n".join(lines) + "\n}\n}\n"
