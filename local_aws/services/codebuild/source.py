"""A build's source, and the buildspec in it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.codebuild.archives import unpack
from local_aws.services.codebuild.buildspec import Buildspec, BuildspecError, parse

DEFAULT_BUILDSPEC = "buildspec.yml"
SOURCES = ("S3", "NO_SOURCE")


class SourceError(Exception):
    """The source cannot be had: CodeBuild's CLIENT_ERROR in DOWNLOAD_SOURCE."""


def download(s3: Any, source: dict[str, Any], target: Path) -> None:
    """Bring the source (API structure ProjectSource, of type S3 or NO_SOURCE) to `target`."""
    if source["type"] == "NO_SOURCE":
        return
    bucket, _, key = source["location"].removeprefix("arn:aws:s3:::").partition("/")
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        reason = error.response["Error"]
        raise SourceError(
            f"error while downloading key {key}, error: {reason.get('Code')}: {reason.get('Message')}"
        ) from error
    unpack(body, target)


def read_buildspec(source: dict[str, Any], folder: Path, say: Callable[[str], None]) -> Buildspec:
    """Read the buildspec: inline in the project, or a file of the source. Raises `BuildspecError`."""
    given = source.get("buildspec") or ""
    if is_inline(given):
        say("YAML location is /codebuild/readonly/buildspec.yml")
        return parse(given)
    path = folder / (given or DEFAULT_BUILDSPEC)
    say(f"YAML location is {path}")
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise BuildspecError(f"stat {path}: no such file or directory")
    return parse(path.read_text(errors="replace"))


def is_inline(buildspec: str) -> bool:
    """Say whether a project's `buildspec` is the text itself and not the name of a file."""
    return "\n" in buildspec or buildspec.lstrip().startswith(("{", "version:"))
