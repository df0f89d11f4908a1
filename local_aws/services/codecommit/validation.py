"""The checks of names, paths and arguments that a request passes before any of them reaches git."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.codecommit.errors import unsupported

REPOSITORY_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")
INVALID_REPOSITORY_NAME = (
    "The repository name is not valid. Repository names can be any valid combination of letters, "
    "numbers, periods, underscores, and dashes between 1 and 100 characters in length. Names are "
    "case sensitive. Repository names cannot end in .git"
)
# git's rules for a reference name, which are CodeCommit's too: https://git-scm.com/docs/git-check-ref-format
FORBIDDEN_IN_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|\.lock(/|$)|[./]$|^/|^@$|^-")
MAX_BRANCH_LENGTH = 256
MESSAGE_LIMIT = 256 * 1024
NAME_LIMIT = 1024
# CodeCommit quotas: the largest file that an API call may carry.
# https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
FILE_LIMIT = 6 * 1024 * 1024
GIT_MODES = {"NORMAL": "100644", "EXECUTABLE": "100755", "SYMLINK": "120000"}


def check_repository_name(name: str) -> str:
    """Return `name`; raises `InvalidRepositoryNameException` if AWS rejects it."""
    if REPOSITORY_NAME.fullmatch(name) and not name.endswith(".git") and name not in (".", ".."):
        return name
    raise AwsError("InvalidRepositoryNameException", INVALID_REPOSITORY_NAME)


def check_branch_name(name: str) -> str:
    """Return `name`; raises `InvalidBranchNameException` if git or AWS rejects it."""
    if name and len(name) <= MAX_BRANCH_LENGTH and not FORBIDDEN_IN_BRANCH.search(name):
        return name
    raise AwsError("InvalidBranchNameException", f"The specified branch name is not valid: {name!r}")


def check_file_path(path: str) -> str:
    """Return `path`; raises `InvalidPathException` if it points outside the repository or into `.git`."""
    parts = path.split("/")
    if "\0" in path or any(part.lower() in ("", ".", "..", ".git") for part in parts):
        raise AwsError("InvalidPathException", f"The specified path is not valid: {path!r}")
    return path


def check_message(message: str) -> None:
    """Raise `CommitMessageLengthExceededException` for a message of more than 256 KB.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateCommit.html
    """
    if len(message.encode()) > MESSAGE_LIMIT:
        raise AwsError("CommitMessageLengthExceededException", "A commit message has at most 256 KB")


def check_author_name(name: str) -> None:
    """Raise `NameLengthExceededException` for a name of more than 1,024 characters.

    https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html ("User names in commits")
    """
    if len(name) > NAME_LIMIT:
        raise AwsError("NameLengthExceededException", f"An author's name has at most {NAME_LIMIT} characters")


def check_size(path: str, size: int) -> None:
    """Raise `FileTooLargeException` for a file that no API call may carry; git may push and fetch it.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetFile.html#API_GetFile_Errors
    """
    if size > FILE_LIMIT:
        raise AwsError("FileTooLargeException", f"{path} is larger than 6 MB")


def git_mode(name: str) -> str:
    """Return git's mode for an API file mode; raises `InvalidFileModeException`."""
    if name not in GIT_MODES:
        raise AwsError("InvalidFileModeException", f"The specified file mode is not valid: {name}")
    return GIT_MODES[name]


def file_mode(mode: str) -> str:
    """Return the API's file mode for git's mode."""
    return next((name for name, value in GIT_MODES.items() if value == mode), "NORMAL")


def is_object_id(text: str) -> bool:
    """Return whether `text` is a full object ID of git."""
    return re.fullmatch(r"[0-9a-f]{40}", text) is not None


def check_name_conflicts(put: Collection[str], unchanged: Collection[str]) -> None:
    """Check that no path of a commit is both a file and a folder; `put` are the paths that it writes."""
    if found := sorted(_folders(put).intersection(put)):
        raise AwsError("PutFileEntryConflictException", f"The request has {found[0]} as a file and a folder")
    files = {*put, *unchanged}
    folders = _folders(files)
    for path in put:
        if path in folders:
            raise AwsError("FileNameConflictsWithDirectoryNameException", f"{path} is a folder")
        if any(path.startswith(f"{file}/") for file in files):
            raise AwsError("DirectoryNameConflictsWithFileNameException", f"{path} lies under a file")


def _folders(paths: Collection[str]) -> set[str]:
    return {path[:index] for path in paths for index, char in enumerate(path) if char == "/"}


def check_submodules(put: Collection[str], submodules: Collection[str]) -> None:
    """Raise `FilePathConflictsWithSubmodulePathException` for a path that is a submodule, or lies in one.

    https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateCommit.html#API_CreateCommit_Errors
    """
    for path in put:
        if any(is_in(module, path) for module in submodules):
            raise AwsError("FilePathConflictsWithSubmodulePathException", f"{path} points to a submodule")


def compared_path(params: Mapping[str, Any]) -> str | None:
    """Return the path that GetDifferences is limited to; raises `UnsupportedOperation` for two of them."""
    paths = {check_file_path(params[name]) for name in ("beforePath", "afterPath") if name in params}
    if len(paths) > 1:
        raise unsupported("local_aws does not compare a folder with one of another name")
    return next(iter(paths), None)


def is_in(path: str, file: str) -> bool:
    """Return whether a file is `path`, or lies under it."""
    return file == path or file.startswith(f"{path}/")


def required(params: Mapping[str, Any], name: str, code: str) -> str:
    """Return an argument; raises the error `code` if it is missing."""
    if name not in params:
        raise AwsError(code, f"{name} is required")
    return str(params[name])


def refuse_arguments(params: Mapping[str, Any], *names: str) -> None:
    """Raise `UnsupportedOperation` for an argument that local_aws does not support."""
    for name in names:
        if params.get(name):
            raise unsupported(f"local_aws does not support the argument {name}")
