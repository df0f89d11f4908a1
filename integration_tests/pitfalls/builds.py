"""The synthesized buildspecs, with a small change to one of them."""

import yaml

from harness.build_project import Buildspec
from harness.cloud import Cloud
from harness.synthesized_app import Resources, build_resources, synthesized


def project(cloud: Cloud) -> Resources:
    """Return the synthesized resources that a build needs."""
    return build_resources(synthesized(cloud))


def buildspec_of(cloud: Cloud, project: str) -> Buildspec:
    """Return the buildspec that a synthesized project carries."""
    resources = synthesized(cloud).part(project)
    found: Buildspec = yaml.safe_load(resources[project]["Properties"]["Source"]["BuildSpec"])
    # YAML 1.1 reads 3.10 as 3.1, so the version must be a string.
    found["phases"]["install"]["runtime-versions"]["python"] = "3.9"
    return found


def to_yaml(buildspec: Buildspec) -> str:
    """Return a buildspec as YAML."""
    return str(yaml.safe_dump(buildspec, sort_keys=False))


def only(buildspec: Buildspec, *texts: str) -> Buildspec:
    """Keep the commands that contain one of `texts`: most tests need no unit tests and no image."""
    phases = {
        name: {
            **phase,
            "commands": [one for one in phase["commands"] if any(text in one for text in texts)],
        }
        for name, phase in buildspec["phases"].items()
    }
    kept = {name: phase for name, phase in phases.items() if phase["commands"] or name == "install"}
    return {**buildspec, "phases": kept}
