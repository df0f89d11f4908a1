"""What a CreateCommit asks for, checked against the files that are there."""

from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.codecommit.git_repository import Change, Entry, GitRepository
from local_aws.services.codecommit.validation import check_file_path, git_mode

# CodeCommit quotas: the largest file that an API call may carry.
FILE_LIMIT = 6 * 1024 * 1024


def requested_change(git: GitRepository, params: dict[str, Any], before: dict[str, Entry]) -> Change:
    """Return what `CreateCommit`'s arguments do to the files `before`; raises AWS's refusals."""
    put = {}
    for item in params.get("putFiles", []):
        path = check_file_path(item["filePath"])
        if "fileContent" not in item:
            raise AwsError("UnsupportedOperation", "local_aws takes fileContent, not sourceFile", 501)
        if len(item["fileContent"]) > FILE_LIMIT:
            raise AwsError("FileContentSizeLimitExceededException", f"{path} is larger than 6 MB")
        put[path] = (git_mode(item.get("fileMode", "NORMAL")), item["fileContent"])
    for item in params.get("setFileModes", []):
        path = check_file_path(item["filePath"])
        put[path] = (git_mode(item["fileMode"]), git.blob(_existing(before, path).id))
    delete = [check_file_path(item["filePath"]) for item in params.get("deleteFiles", [])]
    for path in delete:
        _existing(before, path)
    named = [*put, *delete]
    if not named:
        raise AwsError("FileEntryRequiredException", "The commit has no file to put or to delete")
    asked = [
        item["filePath"]
        for kind in ("putFiles", "setFileModes", "deleteFiles")
        for item in params.get(kind, [])
    ]
    if len(set(asked)) != len(asked):
        raise AwsError("SamePathRequestException", "The same path is named twice in the request")
    _check_places(put, {*before} - {*delete})
    if not delete and all(_same(git, before.get(path), *new) for path, new in put.items()):
        raise AwsError("NoChangeException", "The commit would change nothing")
    return Change(put, delete)


def _check_places(put: dict[str, tuple[str, bytes]], kept: set[str]) -> None:
    taken = kept | {*put}
    folders = {path[:at] for path in taken for at, char in enumerate(path) if char == "/"}
    for path in put:
        if path in folders:
            raise AwsError("FileNameConflictsWithDirectoryNameException", f"{path} is a folder")
        if any(f"{path}/".startswith(f"{file}/") for file in taken if file != path):
            raise AwsError("DirectoryNameConflictsWithFileNameException", f"{path} lies under a file")


def _same(git: GitRepository, old: Entry | None, mode: str, content: bytes) -> bool:
    return old is not None and old.mode == mode and git.blob(old.id) == content


def _existing(before: dict[str, Entry], path: str) -> Entry:
    if path not in before:
        raise AwsError("FileDoesNotExistException", f"{path} does not exist")
    return before[path]
