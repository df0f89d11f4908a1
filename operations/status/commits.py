"""The commits of an environment's repository."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.names import Names


def find_commit(account: Account, names: Names, commit: str) -> Mapping[str, Any] | None:
    """Return a commit as GetCommit does; None if it is of an earlier repository of the same name."""
    try:
        answer = account.client("codecommit").get_commit(repositoryName=names.repository, commitId=commit)
    except ClientError as error:
        if code_of(error) not in ("CommitIdDoesNotExistException", "RepositoryDoesNotExistException"):
            raise
        return None
    found: Mapping[str, Any] = answer["commit"]
    return found
