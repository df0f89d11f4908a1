"""A build's source and its buildspec."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.codebuild.archives import unpack
from local_aws.services.codebuild.buildspec import Buildspec, parse
from local_aws.services.codebuild.errors import BuildspecError, SourceError
from local_aws.services.codebuild.shapes import SourceShape

DEFAULT_BUILDSPEC = "buildspec.yml"
SOURCE_TYPES = ("S3", "NO_SOURCE", "CODECOMMIT")


def download(s3: Any, source: SourceShape, target: Path) -> None:
    """Download the source, of type S3 or NO_SOURCE, to `target`."""
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


def read_buildspec(source: SourceShape, folder: Path, log: Callable[[str], None]) -> Buildspec:
    """Read the buildspec: inline in the project, or a file of the source. Raises `BuildspecError`."""
    buildspec = source.get("buildspec") or ""
    if is_inline(buildspec):
        log("YAML location is /codebuild/readonly/buildspec.yml")
        return parse(buildspec)
    path = folder / (buildspec or DEFAULT_BUILDSPEC)
    log(f"YAML location is {path}")
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise BuildspecError(f"stat {path}: no such file or directory")
    return parse(path.read_text(errors="replace"))


def is_inline(buildspec: str) -> bool:
    """Return whether a project's `buildspec` is the text of a buildspec, rather than the name of a file."""
    return "\n" in buildspec or buildspec.lstrip().startswith(("{", "version:"))
