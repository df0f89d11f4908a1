"""A build's source in CodeCommit: a clone, checked out at the commit of the build's source version.

https://docs.aws.amazon.com/codebuild/latest/userguide/sample-source-version.html
"""

import base64
import os
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local_aws.core.context import REGION, Context
from local_aws.host.process_tags import INSTANCE_VARIABLE
from local_aws.services.codebuild.errors import SourceError, invalid_input, unsupported
from local_aws.services.codebuild.shapes import SourceShape

# The URL that CodeCommit returns, here or on AWS: the CDK composes AWS's for an imported repository.
LOCATION = re.compile(
    r"https?://(git-codecommit\.(?P<region>[a-z0-9-]+)\.amazonaws\.com|[^/@]+)/v1/repos/(?P<name>[\w.-]{1,100})"
)
COMMIT_ID = re.compile(r"[0-9a-f]{40}")
REFERENCE_AND_COMMIT = re.compile(r"(?P<reference>.+)\^\{(?P<commit>[0-9a-f]{40})\}")
# https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_codebuild.CodeCommitSourceProps.html
LONGEST_DEPTH = 25
# What git says -> what CodeBuild says: https://github.com/data-dot-all/dataall/issues/1840
FAILURES = {
    "returned error: 403": "authorization failed",
    "Remote branch": "reference not found",
    "reference is not a tree": "object not found",
    "not found": "repository not found",
}


def check_location(source: SourceShape) -> None:
    """Refuse a location that is no repository of CodeCommit, and submodules."""
    found = LOCATION.fullmatch(source.get("location", ""))
    if found is None:
        raise invalid_input("Invalid project source: location must be a valid CodeCommit repository URL")
    if found["region"] not in (None, REGION):
        raise unsupported(f"local_aws has {REGION} only: it cannot build from {source['location']}")
    if source.get("gitSubmodulesConfig", {}).get("fetchSubmodules", False):
        raise unsupported("local_aws does not fetch the submodules of a source")


def clone(
    context: Context,
    credentials: Mapping[str, str],
    source: SourceShape,
    version: str,
    folder: Path,
    home: Path,
) -> str:
    """Clone the repository into `folder` as the role of `credentials`; return the ID of the commit.

    `version` is a branch, a tag, a commit, or a reference and a commit; empty for the default branch.
    Raises `SourceError`.
    """
    found = LOCATION.fullmatch(source["location"])
    if found is None:
        raise SourceError(f"invalid location {source['location']}")
    url = f"{context.endpoint}/v1/repos/{found['name']}"
    git = _Git(folder, home, _authorization(url, credentials))
    with_commit = REFERENCE_AND_COMMIT.fullmatch(version)
    commit = with_commit["commit"] if with_commit else version if COMMIT_ID.fullmatch(version) else None
    try:
        options = [] if commit else _options(source, version)
        git.run("clone", "--quiet", *options, url, str(folder))
        git.run("-C", str(folder), "checkout", "--quiet", "--detach", commit or "HEAD", "--")
        return git.run("-C", str(folder), "rev-parse", "HEAD").strip()
    except GitError as error:
        raise SourceError(_failure(str(error), version)) from error


def _options(source: SourceShape, version: str) -> list[str]:
    depth = source.get("gitCloneDepth", 0)
    shallow = [f"--depth={depth}"] if 0 < depth <= LONGEST_DEPTH else []
    name = version.removeprefix("refs/heads/").removeprefix("refs/tags/")
    return [*shallow, *([f"--branch={name}"] if name else [])]


def _failure(message: str, version: str) -> str:
    reason = next((ours for words, ours in FAILURES.items() if words in message), message)
    return f"{reason} for primary source and source version {version}".rstrip()


class GitError(Exception):
    """git failed; the message is git's own."""


class _Git:
    """git as CodeBuild runs it: with nothing of this machine, and a header that no file keeps."""

    def __init__(self, folder: Path, home: Path, header: str) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": header,
            INSTANCE_VARIABLE: os.environ.get(INSTANCE_VARIABLE, ""),
        }

    def run(self, *arguments: str) -> str:
        """Run git and return its output; raises `GitError`."""
        command = ["git", *arguments]
        result = subprocess.run(  # noqa: S603 - an argument list; the URL's pattern and --branch= fence the names
            command,
            capture_output=True,
            env=self.environment,
            cwd=self.folder.parent,
            check=False,
        )
        if result.returncode:
            raise GitError(result.stderr.decode(errors="replace").strip())
        return result.stdout.decode(errors="replace")


def _authorization(url: str, credentials: Mapping[str, str]) -> str:
    """Return the header that git sends: the user and the password that CodeCommit's credential helper makes.

    https://github.com/aws/aws-cli/blob/develop/awscli/customizations/codecommit.py
    """
    key, token = credentials["AWS_ACCESS_KEY_ID"], credentials["AWS_SESSION_TOKEN"]
    signer = SigV4Auth(Credentials(key, credentials["AWS_SECRET_ACCESS_KEY"], token), "codecommit", REGION)
    request = AWSRequest("GIT", url)
    request.context["timestamp"] = time = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    parts = urlsplit(url)
    canonical = f"GIT\n{parts.path}\n\nhost:{parts.hostname}\n\nhost\n"
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    user = f"{key}%{token}:{time}Z{signature}"
    return f"Authorization: Basic {base64.b64encode(user.encode()).decode()}"
