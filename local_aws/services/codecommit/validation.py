"""What CodeCommit accepts as names of repositories, branches and files, before any of them reaches git."""

import re

from local_aws.core.api import AwsError

REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}")
# git's rules for a reference (git check-ref-format), which CodeCommit has taken over.
BRANCH_REFUSED = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(^|/)\.|\.lock(/|$)|[./]$|^/|^@$|^-")
BRANCH_LENGTH = 256
MODES = {"NORMAL": "100644", "EXECUTABLE": "100755", "SYMLINK": "120000"}


def check_repository_name(name: str) -> str:
    """Return `name`; raises `InvalidRepositoryNameException` unless AWS would take it."""
    if REPOSITORY.fullmatch(name) and not name.endswith(".git") and name not in (".", ".."):
        return name
    raise AwsError(
        "InvalidRepositoryNameException",
        "The repository name is not valid. Repository names can be any valid combination of letters, "
        "numbers, periods, underscores, and dashes between 1 and 100 characters in length. Names are "
        "case sensitive. "
        "Repository names cannot end in .git",
    )


def check_branch_name(name: str) -> str:
    """Return `name`; raises `InvalidBranchNameException` unless git and AWS would take it."""
    if name and len(name) <= BRANCH_LENGTH and not BRANCH_REFUSED.search(name):
        return name
    raise AwsError("InvalidBranchNameException", f"The specified branch name is not valid: {name!r}")


def check_file_path(path: str) -> str:
    """Return `path` inside a repository; raises `InvalidPathException` when it leads out or into `.git`."""
    parts = path.split("/")
    bad = not path or "\0" in path or any(part in ("", ".", "..") for part in parts)
    if bad or any(part.lower() == ".git" for part in parts):
        raise AwsError("InvalidPathException", f"The specified path is not valid: {path!r}")
    return path


def git_mode(name: str) -> str:
    """Return git's mode of an API file mode; raises `InvalidFileModeException`."""
    if name not in MODES:
        raise AwsError("InvalidFileModeException", f"The specified file mode is not valid: {name}")
    return MODES[name]


def file_mode(mode: str) -> str:
    """Return the API's name of git's mode."""
    return next((name for name, value in MODES.items() if value == mode), "NORMAL")
