"""The curated build images that local_aws emulates, and the Python versions of each.

aws/aws-codebuild-docker-images, runtimes.yml of each image at 1590e48 (2026-04-09); pitfall F1.
"""

import re

from local_aws.services.codebuild.errors import BuildspecError, UnknownImageError

# The newest version is last: `3.x` and `latest` select it.
PYTHON_VERSIONS: dict[str, tuple[str, ...]] = {
    # The runtimes.yml of the last releases, which AWS no longer updates: 15d160b and 18a7d78.
    "aws/codebuild/standard:5.0": ("3.7", "3.8", "3.9"),
    "aws/codebuild/standard:6.0": ("3.10",),
    "aws/codebuild/standard:7.0": ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14"),
    "aws/codebuild/standard:8.0": ("3.10", "3.11", "3.12", "3.13", "3.14"),
    "aws/codebuild/amazonlinux-x86_64-standard:5.0": ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14"),
    "aws/codebuild/amazonlinux-x86_64-standard:6.0": ("3.10", "3.11", "3.12", "3.13", "3.14"),
}
# What `python` is in a build that selects no version: the Dockerfile of each image ends with `pyenv global`.
DEFAULT_PYTHON = {
    "aws/codebuild/standard:5.0": "3.9",
    "aws/codebuild/standard:6.0": "3.10",
    "aws/codebuild/standard:7.0": "3.11",
    "aws/codebuild/standard:8.0": "3.14",
    "aws/codebuild/amazonlinux-x86_64-standard:5.0": "3.11",
    "aws/codebuild/amazonlinux-x86_64-standard:6.0": "3.14",
}
ALIASES = {"aws/codebuild/amazonlinux2-x86_64-standard:5.0": "aws/codebuild/amazonlinux-x86_64-standard:5.0"}


def python_versions(image: str) -> tuple[str, ...]:
    """Return a build image's Python versions; raises `UnknownImageError`."""
    name = _name(image)
    if name not in PYTHON_VERSIONS:
        raise UnknownImageError(
            f"Unable to pull customer's container image {image}: "
            f"local_aws emulates {', '.join(PYTHON_VERSIONS)}"
        )
    return PYTHON_VERSIONS[name]


def default_python(image: str) -> str:
    """Return the Python version of an image's builds that select none."""
    return DEFAULT_PYTHON[_name(image)]


def _name(image: str) -> str:
    # A pinned release, as `:7.0-25.01.01`, has the versions of its image.
    name = re.sub(r"(?<=:)(\d+\.\d+)-.*$", r"\1", image)
    return ALIASES.get(name, name)


def select_python(image: str, runtime_versions: dict[str, str]) -> str | None:
    """Return the Python version that `runtime-versions` selects, or None when it selects none.

    Raises `BuildspecError` for a version that the image does not have, and for a runtime other than Python.
    """
    others = sorted({*runtime_versions} - {"python"})
    if others:
        raise BuildspecError(f"local_aws has the runtime python only, not {', '.join(others)}")
    version = runtime_versions.get("python")
    if version is None:
        return None
    versions = python_versions(image)
    if version in ("latest", "3.x"):
        return versions[-1]
    if version not in versions:
        raise BuildspecError(
            f"Unknown runtime version named '{version}' of python. "
            f"This build image has the following versions: {', '.join(versions)}"
        )
    return version
