"""The changes that a CreateCommit request makes to the files of its parent commit."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.codecommit.errors import file_does_not_exist, no_change, unsupported
from local_aws.services.codecommit.git_repository import FileChanges, GitRepository, TreeEntry
from local_aws.services.codecommit.validation import (
    FILE_LIMIT,
    check_file_path,
    check_name_conflicts,
    check_submodules,
    git_mode,
)

# The files that one API call may add, change or delete.
FILE_ENTRIES = 100


def file_changes(git: GitRepository, params: dict[str, Any], before: dict[str, TreeEntry]) -> FileChanges:
    """Return the changes that `params` make to the files `before`; raises `AwsError` as CreateCommit does."""
    _check_number(params)
    put = {
        **dict(_read_content(item) for item in params.get("putFiles", [])),
        **dict(_read_mode(git, item, before) for item in params.get("setFileModes", [])),
    }
    delete = [check_file_path(item["filePath"]) for item in params.get("deleteFiles", [])]
    for path in delete:
        _existing(before, path)
    _check_paths(list(_requested_paths(params)))
    check_submodules(put, [path for path, entry in before.items() if entry.kind == "commit"])
    _check_folders(put)
    check_name_conflicts(put, {*before} - {*delete})
    if not delete and not any(_differs(git, before.get(path), *file) for path, file in put.items()):
        raise no_change()
    return FileChanges(put, delete)


def _read_content(item: dict[str, Any]) -> tuple[str, tuple[str, bytes]]:
    path = check_file_path(item["filePath"])
    source = item.get("sourceFile")
    if source is None and "fileContent" not in item:
        message = f"{path} needs a source file or content"
        raise AwsError("SourceFileOrContentRequiredException", message)
    if source is not None:
        _refuse_source(path, source["filePath"], with_content="fileContent" in item)
    if len(item["fileContent"]) > FILE_LIMIT:
        raise AwsError("FileContentSizeLimitExceededException", f"{path} is larger than 6 MB")
    return path, (git_mode(item.get("fileMode", "NORMAL")), item["fileContent"])


def _refuse_source(path: str, source: str, *, with_content: bool) -> None:
    if with_content:
        message = f"{path} has both a source file and content"
        raise AwsError("FileContentAndSourceFileSpecifiedException", message)
    if source.rpartition("/")[2] == ".gitkeep":
        raise AwsError("RestrictedSourceFileException", "A .gitkeep file can be neither copied nor moved")
    raise unsupported("local_aws supports fileContent, not sourceFile")


def _check_number(params: dict[str, Any]) -> None:
    if len(list(_requested_paths(params))) > FILE_ENTRIES:
        message = f"A commit can change at most {FILE_ENTRIES} files"
        raise AwsError("MaximumFileEntriesExceededException", message)


def _read_mode(
    git: GitRepository, item: dict[str, Any], before: dict[str, TreeEntry]
) -> tuple[str, tuple[str, bytes]]:
    path = check_file_path(item["filePath"])
    return path, (git_mode(item["fileMode"]), git.blob(_existing(before, path).id))


def _requested_paths(params: dict[str, Any]) -> Iterator[str]:
    for member in ("putFiles", "setFileModes", "deleteFiles"):
        for item in params.get(member, []):
            yield item["filePath"]


def _check_paths(paths: list[str]) -> None:
    if not paths:
        raise AwsError("FileEntryRequiredException", "The commit has no file to put or to delete")
    if len(set(paths)) != len(paths):
        raise AwsError("SamePathRequestException", "The same path is named twice in the request")


def _check_folders(put: Mapping[str, tuple[str, bytes]]) -> None:
    """Check what a commit puts into each folder. Files that are there already count for nothing here.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateCommit.html#API_CreateCommit_Errors
    """
    sizes = Counter[str]()
    for path, (_, content) in put.items():
        sizes[path.rpartition("/")[0]] += len(content)
    if any(size > FILE_LIMIT for size in sizes.values()):
        message = "The changes result in a folder whose contents exceed the limit of 6 MB"
        raise AwsError("FolderContentSizeLimitExceededException", message)


def _differs(git: GitRepository, old: TreeEntry | None, mode: str, content: bytes) -> bool:
    return old is None or old.mode != mode or git.blob(old.id) != content


def _existing(before: dict[str, TreeEntry], path: str) -> TreeEntry:
    if path not in before:
        raise file_does_not_exist(path)
    return before[path]
