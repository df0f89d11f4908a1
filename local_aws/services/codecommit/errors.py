"""The errors that CodeCommit returns, with the codes and messages of its API reference.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_Operations.html
"""

from local_aws.core.api import AwsError


def repository_does_not_exist(name: str) -> AwsError:
    """Return the error for an unknown repository."""
    return AwsError("RepositoryDoesNotExistException", f"{name} does not exist")


def repository_name_exists(name: str) -> AwsError:
    """Return the error for a repository name that is taken."""
    return AwsError("RepositoryNameExistsException", f"Repository named {name} already exists")


def branch_does_not_exist(branch: str) -> AwsError:
    """Return the error for an unknown branch."""
    return AwsError("BranchDoesNotExistException", f"Branch {branch} does not exist")


def branch_name_exists(branch: str) -> AwsError:
    """Return the error for a branch name that is taken."""
    return AwsError("BranchNameExistsException", f"Branch {branch} already exists")


def default_branch_cannot_be_deleted(branch: str) -> AwsError:
    """Return the error for deleting the default branch."""
    return AwsError(
        "DefaultBranchCannotBeDeletedException",
        f"{branch} is the default branch of the repository and cannot be deleted. "
        "To delete this branch, you must first set another branch as the default branch",
    )


def commit_does_not_exist(specifier: str | None) -> AwsError:
    """Return the error for a commit specifier that resolves to nothing."""
    return AwsError("CommitDoesNotExistException", f"Commit {specifier} does not exist")


def commit_id_does_not_exist(commit: str) -> AwsError:
    """Return the error for an unknown full commit ID."""
    return AwsError("CommitIdDoesNotExistException", f"Commit {commit} does not exist")


def branch_name_is_tag_name(name: str) -> AwsError:
    """Return the error for a commit on a name that is a tag's."""
    message = f"{name} is a tag name. Enter the name of a branch in the repository"
    return AwsError("BranchNameIsTagNameException", message)


def path_does_not_exist(path: str) -> AwsError:
    """Return the error for a path that no file of the compared commits has."""
    return AwsError("PathDoesNotExistException", f"{path} does not exist")


def parent_commit_id_required() -> AwsError:
    """Return the error for a commit on an existing branch without a parent."""
    return AwsError("ParentCommitIdRequiredException", "A parent commit ID is required")


def parent_commit_does_not_exist(commit: str) -> AwsError:
    """Return the error for an unknown parent commit."""
    return AwsError("ParentCommitDoesNotExistException", f"Commit {commit} does not exist")


def parent_commit_id_outdated(parent: str, branch: str, tip: str) -> AwsError:
    """Return the error for a parent commit that is not the tip of the branch."""
    return AwsError(
        "ParentCommitIdOutdatedException",
        f"The parent commit ID {parent} is not the current tip of the branch {branch} ({tip})",
    )


def concurrent_reference_update(message: str) -> AwsError:
    """Return the error for a branch that moved while the commit was being written."""
    return AwsError("ConcurrentReferenceUpdateException", message)


def blob_id_does_not_exist(blob: str) -> AwsError:
    """Return the error for an unknown blob."""
    return AwsError("BlobIdDoesNotExistException", f"Blob {blob} does not exist")


def file_does_not_exist(path: str, commit: str | None = None) -> AwsError:
    """Return the error for a path that is not a file of the commit."""
    suffix = f" in {commit}" if commit else ""
    return AwsError("FileDoesNotExistException", f"{path} does not exist{suffix}")


def folder_does_not_exist(path: str, commit: str) -> AwsError:
    """Return the error for a path that is not a folder of the commit."""
    return AwsError("FolderDoesNotExistException", f"{path} does not exist in {commit}")


def same_file_content(message: str) -> AwsError:
    """Return the error for a PutFile that would not change the file."""
    return AwsError("SameFileContentException", message)


def no_change() -> AwsError:
    """Return the error for a commit that would not change any file."""
    return AwsError("NoChangeException", "The commit would change nothing")


def unsupported(message: str) -> AwsError:
    """Return the error for a feature that AWS has and local_aws does not."""
    return AwsError("UnsupportedOperation", message, 501)
