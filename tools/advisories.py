"""Write the database of advisories that the dependency audit reads, from OSV: `make advisories`."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infrastructure.constructs.dependency_audit.audit import read_pins
from infrastructure.constructs.dependency_audit.command import ADVISORIES

PROJECT = Path(__file__).resolve().parent.parent
# What the pipelines install: the sample's, and those of the services of the catalogue.
REQUIREMENTS = ("sample_service/requirements*.txt", "services/*/service/requirements*.txt")
# https://google.github.io/osv.dev/post-v1-query/
QUERY = "https://api.osv.dev/v1/query"
TIMEOUT_SECONDS = 30.0


def packages(project: Path = PROJECT) -> list[str]:
    """Return the packages that the services pin, with a version or another."""
    paths = [path for pattern in REQUIREMENTS for path in project.glob(pattern)]
    return sorted({pin.name for path in paths for pin in read_pins(path)})


def advisories_of(package: str, url: str = QUERY) -> Iterator[dict[str, Any]]:
    """Yield the advisories of a package, whatever the version, each reduced to what the audit compares."""
    query: dict[str, Any] = {"package": {"name": package, "ecosystem": "PyPI"}}
    while True:
        request = urllib.request.Request(url, json.dumps(query).encode())  # noqa: S310 - OSV's own
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - OSV's own
            page = json.load(response)
        for advisory in page.get("vulns", ()):
            if "withdrawn" not in advisory:
                yield reduced(advisory)
        if not page.get("next_page_token"):
            return
        query["page_token"] = page["next_page_token"]


def reduced(advisory: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of an OSV record that the audit compares.

    The versions are listed where no range of versions is given, as of a malicious release.
    """
    affected = []
    for one in advisory.get("affected", ()):
        if one.get("package", {}).get("ecosystem") != "PyPI":
            continue
        ranges = [each["events"] for each in one.get("ranges", ()) if each["type"] == "ECOSYSTEM"]
        versions = [] if ranges else one.get("versions", [])
        affected.append({"package": one["package"]["name"].lower(), "ranges": ranges, "versions": versions})
    return {"id": advisory["id"], "aliases": sorted(advisory.get("aliases", ())), "affected": affected}


def main(url: str = QUERY, target: Path = ADVISORIES) -> int:
    """Fetch the advisories of every package; write them only once all have been fetched."""
    names = packages()
    found = {one["id"]: one for name in names for one in advisories_of(name, url)}
    database = {
        "source": "https://osv.dev, CC-BY 4.0",
        "updated": datetime.now(UTC).date().isoformat(),
        "packages": names,
        "vulnerabilities": [found[id_] for id_ in sorted(found)],
    }
    target.write_text(formatted(database), "utf-8")
    print(f"{len(found)} advisories of {len(names)} packages: {target}")
    return 0


def formatted(database: Mapping[str, Any]) -> str:
    """Return the database as JSON with a line for each advisory, so that a change is one line."""
    head = {key: value for key, value in database.items() if key != "vulnerabilities"}
    lines = ",\n".join(f"    {json.dumps(one)}" for one in database["vulnerabilities"])
    return f'{json.dumps(head, indent=2)[:-2]},\n  "vulnerabilities": [\n{lines}\n  ]\n}}\n'
