"""The curated build images that local_aws stands in for, and the Pythons that each has.

aws/aws-codebuild-docker-images, runtimes.yml of each image at 1590e48 (2026-04-09); pitfall F1.
"""

import re

from local_aws.services.codebuild.buildspec import BuildspecError

# Newest last: `3.x` and `latest` take it.
PYTHONS: dict[str, tuple[str, ...]] = {
    "aws/codebuild/standard:7.0": ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14"),
    "aws/codebuild/standard:8.0": ("3.10", "3.11", "3.12", "3.13", "3.14"),
    "aws/codebuild/amazonlinux-x86_64-standard:5.0": ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14"),
    "aws/codebuild/amazonlinux-x86_64-standard:6.0": ("3.10", "3.11", "3.12", "3.13", "3.14"),
}
ALIASES = {"aws/codebuild/amazonlinux2-x86_64-standard:5.0": "aws/codebuild/amazonlinux-x86_64-standard:5.0"}


class ImageNotKnownError(Exception):
    """The build image is none of the curated ones that local_aws stands in for."""


def pythons(image: str) -> tuple[str, ...]:
    """Return a build image's Pythons (pinned releases, `:7.0-25.01.01`, too); raises `ImageNotKnownError`."""
    name = re.sub(r"(?<=:)(\d+\.\d+)-.*$", r"\1", image)
    name = ALIASES.get(name, name)
    if name not in PYTHONS:
        raise ImageNotKnownError(
            f"Unable to pull customer's container image {image}: local_aws stands in for {', '.join(PYTHONS)}"
        )
    return PYTHONS[name]


def select_python(image: str, runtime_versions: dict[str, str]) -> str | None:
    """Return the Python that `runtime-versions` asks for, or None when it asks for none.

    Raises `BuildspecError` for a version that the image does not have, and for a runtime other than Python.
    """
    others = sorted({*runtime_versions} - {"python"})
    if others:
        raise BuildspecError(f"local_aws has the runtime python only, not {', '.join(others)}")
    wanted = runtime_versions.get("python")
    if wanted is None:
        return None
    there = pythons(image)
    if wanted in ("latest", "3.x"):
        return there[-1]
    if wanted not in there:
        raise BuildspecError(
            f"Unknown runtime version named '{wanted}' of python. "
            f"This build image has the following versions: {', '.join(there)}"
        )
    return wanted
