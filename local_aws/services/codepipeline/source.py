"""The source action CodeCommit: uploads the files of a branch to the artifact bucket, as a zip.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeCommit.html
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError
from local_aws.core.clients import is_denied
from local_aws.services.codepipeline.action_context import ActionContext
from local_aws.services.codepipeline.artifacts import upload
from local_aws.services.codepipeline.errors import ActionFailedError, ArtifactError
from local_aws.services.codepipeline.records import SourceRevision


def run_source(action: ActionContext) -> None:
    """Resolve the branch (or the requested commit), upload its files, record revision and variables."""
    repository, branch = action.configuration["RepositoryName"], action.configuration["BranchName"]
    codecommit = action.client("codecommit")
    console = f"https://console.aws.amazon.com/codecommit/home?region={action.context.region}#/repository/"
    action.update(entity_url=f"{console}{repository}/browse/{branch}/--/")
    try:
        commit_id = action.execution.revision_overrides.get(action.run.action.name) or branch_tip(
            codecommit, repository, branch
        )
        commit = codecommit.get_commit(repositoryName=repository, commitId=commit_id)["commit"]
    except ClientError as error:
        raise _read_error(error, repository, branch) from error
    message = commit.get("message", "")
    url = f"{console}{repository}/commit/{commit_id}"
    action.update(
        revision=_revision(action, commit_id, commit, url),
        summary=message.strip() or None,
        external_id=commit_id,
        external_url=url,
        variables={
            "RepositoryName": repository,
            "BranchName": branch,
            "CommitId": commit_id,
            "CommitMessage": message,
            "AuthorDate": _iso_date(commit["author"]),
            "CommitterDate": _iso_date(commit["committer"]),
        },
    )
    _authorize_archive(action, repository)
    try:
        content = action.archive(repository, commit_id)
        upload(action.client("s3"), action.run.outputs[0], content, action.execution.declaration.key_id)
    except ArtifactError as error:
        raise ActionFailedError("PermissionError", str(error)) from error
    except AwsError as error:
        # The commit or its repository was deleted in the meantime.
        raise ActionFailedError("ConfigurationError", str(error)) from error


def _revision(action: ActionContext, commit_id: str, commit: Mapping[str, Any], url: str) -> SourceRevision:
    summary = commit.get("message", "").strip()
    return SourceRevision(action.run.action.name, commit_id, summary, url, _datetime(commit["committer"]))


def _authorize_archive(action: ActionContext, repository: str) -> None:
    """Check that the action's role allows UploadArchive, which has no public API.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam.html (pitfall D5)
    """
    role = action.run.action.role_arn or action.execution.declaration.role_arn
    try:
        for permission in ("codecommit:UploadArchive", "codecommit:GetUploadArchiveStatus"):
            action.context.authorize(role, permission, action.context.arn("codecommit", repository))
    except AwsError as error:
        raise _permission_error(error.message, repository) from error


def branch_tip(codecommit: Any, repository: str, branch: str) -> str:
    """Return the ID of the commit that a branch points to."""
    answer = codecommit.get_branch(repositoryName=repository, branchName=branch)
    return str(answer["branch"]["commitId"])


def _read_error(error: ClientError, repository: str, branch: str) -> ActionFailedError:
    code = error.response["Error"]["Code"]
    if code == "BranchDoesNotExistException":
        # The message of pitfall B3.
        return ActionFailedError(
            "ConfigurationError",
            f"The action failed because no branch named {branch} was found in the selected AWS CodeCommit"
            f" repository {repository}. Make sure you are using the correct branch name, and then try again."
            " Error: null",
        )
    message = error.response["Error"].get("Message", "")
    if is_denied(error):
        return _permission_error(message, repository)
    return ActionFailedError(
        "ConfigurationError",
        f"The action failed because the selected AWS CodeCommit repository {repository} could not be read."
        f" Error: {message} (Error Code: {code})",
    )


def _permission_error(message: str, repository: str) -> ActionFailedError:
    return ActionFailedError(
        "PermissionError",
        "The service role or action role doesn't have the permissions required to access the AWS"
        f" CodeCommit repository named {repository}. Update the IAM role permissions, and then try again."
        f" Error: {message}",
    )


def _datetime(person: Mapping[str, str]) -> datetime:
    # CodeCommit returns git's format: seconds since the epoch and the UTC offset, as `1484167798 -0800`.
    return datetime.fromtimestamp(int(person["date"].split()[0]), UTC)


def _iso_date(person: Mapping[str, str]) -> str:
    return _datetime(person).strftime("%Y-%m-%dT%H:%M:%SZ")
