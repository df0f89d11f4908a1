"""The source action: a branch of CodeCommit, as a zip in the artifact bucket."""

from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError
from local_aws.services.codepipeline.action_context import ActionFailedError, Work, is_denied
from local_aws.services.codepipeline.artifacts import ArtifactError, upload
from local_aws.services.codepipeline.records import Revision


def run_source(work: Work) -> None:
    """Resolve the branch (or the commit asked for), upload its files, record revision and variables."""
    repository, branch = work.configuration["RepositoryName"], work.configuration["BranchName"]
    codecommit = work.client("codecommit")
    console = f"https://console.aws.amazon.com/codecommit/home?region={work.context.region}#/repository/"
    work.note(entity_url=f"{console}{repository}/browse/{branch}/--/")
    try:
        commit_id = work.execution.overrides.get(work.run.action.name) or head(codecommit, repository, branch)
        commit = codecommit.get_commit(repositoryName=repository, commitId=commit_id)["commit"]
    except ClientError as error:
        raise _refused(error, repository, branch) from error
    summary = commit.get("message", "").strip()
    url = f"{console}{repository}/commit/{commit_id}"
    work.note(
        revision=Revision(work.run.action.name, commit_id, summary, url, _moment(commit["committer"])),
        summary=summary or None,
        external_id=commit_id,
        external_url=url,
        variables={
            "RepositoryName": repository,
            "BranchName": branch,
            "CommitId": commit_id,
            "CommitMessage": commit.get("message", ""),
            "AuthorDate": _date(commit["author"]),
            "CommitterDate": _date(commit["committer"]),
        },
    )
    _may_archive(work, repository)
    try:
        content = work.archive(repository, commit_id)
        upload(work.client("s3"), work.run.outputs[0], content, work.execution.pipeline.key_id)
    except ArtifactError as error:
        raise ActionFailedError("PermissionError", str(error)) from error
    except AwsError as error:
        # The commit or its repository went away meanwhile.
        raise ActionFailedError("ConfigurationError", str(error)) from error


def _may_archive(work: Work, repository: str) -> None:
    """Ask IAM for what UploadArchive, which has no public API, takes of the action's role.

    https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam.html (pitfall D5)
    """
    role = work.run.action.role_arn or work.execution.pipeline.role_arn
    try:
        for action in ("codecommit:UploadArchive", "codecommit:GetUploadArchiveStatus"):
            work.context.authorize(role, action, work.context.arn("codecommit", repository))
    except AwsError as error:
        raise _not_permitted(error.message, repository) from error


def head(codecommit: Any, repository: str, branch: str) -> str:
    """Return the commit that a branch points at."""
    answer = codecommit.get_branch(repositoryName=repository, branchName=branch)
    return str(answer["branch"]["commitId"])


def _refused(error: ClientError, repository: str, branch: str) -> ActionFailedError:
    code = error.response["Error"]["Code"]
    if code == "BranchDoesNotExistException":
        # pitfall B3, to the letter.
        return ActionFailedError(
            "ConfigurationError",
            f"The action failed because no branch named {branch} was found in the selected AWS CodeCommit"
            f" repository {repository}. Make sure you are using the correct branch name, and then try again."
            " Error: null",
        )
    message = error.response["Error"].get("Message", "")
    if is_denied(error):
        return _not_permitted(message, repository)
    return ActionFailedError(
        "ConfigurationError",
        f"The action failed because the selected AWS CodeCommit repository {repository} could not be read."
        f" Error: {message} (Error Code: {code})",
    )


def _not_permitted(message: str, repository: str) -> ActionFailedError:
    return ActionFailedError(
        "PermissionError",
        "The service role or action role doesn't have the permissions required to access the AWS"
        f" CodeCommit repository named {repository}. Update the IAM role permissions, and then try again."
        f" Error: {message}",
    )


def _moment(person: dict[str, Any]) -> datetime:
    # CodeCommit gives git's own form: seconds and the offset, as `1484167798 -0800`.
    return datetime.fromtimestamp(int(person["date"].split()[0]), UTC)


def _date(person: dict[str, Any]) -> str:
    return _moment(person).strftime("%Y-%m-%dT%H:%M:%SZ")
