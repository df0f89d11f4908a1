"""The phase DOWNLOAD_SOURCE: gets the source of a build, of whatever type."""

from collections.abc import Mapping

from local_aws.core.context import Context
from local_aws.services.codebuild.build_request import BuildRequest
from local_aws.services.codebuild.environment import BuildFolders
from local_aws.services.codebuild.git_source import clone
from local_aws.services.codebuild.records import BuildRecord
from local_aws.services.codebuild.source import download


def download_source(
    context: Context,
    build: BuildRecord,
    request: BuildRequest,
    folders: BuildFolders,
    credentials: Mapping[str, str],
) -> None:
    """Download the source to its folder; of a repository, record the commit. Raises `SourceError`."""
    if request.source["type"] != "CODECOMMIT":
        download(context.client("s3", request.service_role), request.source, folders.source)
        return
    version = build.copy_shape().get("sourceVersion", "")
    commit = clone(context, credentials, request.source, version, folders.source, folders.work)
    build.update(resolvedSourceVersion=commit)
