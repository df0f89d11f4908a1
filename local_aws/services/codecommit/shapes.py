"""The API structures that CodeCommit returns.

https://docs.aws.amazon.com/codecommit/latest/APIReference/API_Types.html
"""

from datetime import datetime
from typing import NotRequired, TypedDict


class RepositoryMetadata(TypedDict):
    """API structure RepositoryMetadata. An empty repository has no default branch."""

    accountId: str
    repositoryId: str
    repositoryName: str
    creationDate: datetime
    lastModifiedDate: datetime
    cloneUrlHttp: str
    cloneUrlSsh: str
    Arn: str
    repositoryDescription: NotRequired[str]
    defaultBranch: NotRequired[str]
    kmsKeyId: NotRequired[str]


class UserInfo(TypedDict):
    """API structure UserInfo."""

    name: str
    email: str
    date: str


class CommitShape(TypedDict):
    """API structure Commit."""

    commitId: str
    treeId: str
    parents: list[str]
    message: str
    author: UserInfo
    committer: UserInfo
    additionalData: str


class FileMetadata(TypedDict):
    """API structure FileMetadata."""

    absolutePath: str
    blobId: str
    fileMode: str


class BlobMetadata(TypedDict):
    """API structure BlobMetadata."""

    blobId: str
    path: str
    mode: str


class Difference(TypedDict):
    """API structure Difference. `beforeBlob` is absent for an added file, `afterBlob` for a deleted one."""

    changeType: str
    beforeBlob: NotRequired[BlobMetadata]
    afterBlob: NotRequired[BlobMetadata]
