"""CodeCommit's records, commits and files as the API returns them."""

from local_aws.core.context import Context
from local_aws.services.codecommit.git_repository import Commit, Person, TreeEntry
from local_aws.services.codecommit.records import Repository
from local_aws.services.codecommit.shapes import (
    BlobMetadata,
    CommitShape,
    Difference,
    FileMetadata,
    RepositoryMetadata,
    UserInfo,
)
from local_aws.services.codecommit.validation import file_mode


def repository_arn(context: Context, repository: Repository) -> str:
    """Return the ARN of a repository."""
    return context.arn("codecommit", repository.name)


def repository_metadata(context: Context, repository: Repository) -> RepositoryMetadata:
    """Return RepositoryMetadata."""
    metadata = RepositoryMetadata(
        accountId=context.account,
        repositoryId=repository.id,
        repositoryName=repository.name,
        creationDate=repository.created,
        lastModifiedDate=repository.modified,
        cloneUrlHttp=f"{context.endpoint}/v1/repos/{repository.name}",
        cloneUrlSsh=f"ssh://git-codecommit.{context.region}.amazonaws.com/v1/repos/{repository.name}",
        Arn=repository_arn(context, repository),
    )
    if repository.description is not None:
        metadata["repositoryDescription"] = repository.description
    if (branch := repository.git.default_branch()) is not None:
        metadata["defaultBranch"] = branch
    if repository.kms_key is not None:
        metadata["kmsKeyId"] = repository.kms_key
    return metadata


def serialize_commit(commit: Commit) -> CommitShape:
    """Return Commit."""
    return CommitShape(
        commitId=commit.id,
        treeId=commit.tree,
        parents=commit.parents,
        message=commit.message,
        author=_user_info(commit.author),
        committer=_user_info(commit.committer),
        additionalData="",
    )


def file_metadata(entry: TreeEntry) -> FileMetadata:
    """Return FileMetadata."""
    return FileMetadata(absolutePath=entry.path, blobId=entry.id, fileMode=file_mode(entry.mode))


def folder_entry(entry: TreeEntry, folder: str) -> tuple[str, dict[str, str]]:
    """Return the member of GetFolder's answer that lists an entry of `folder`, and the entry's item in it."""
    item = {"absolutePath": f"{folder}/{entry.path}".lstrip("/"), "relativePath": entry.path}
    if entry.kind == "tree":
        return "subFolders", item | {"treeId": entry.id}
    if entry.kind == "commit":
        return "subModules", item | {"commitId": entry.id}
    member = "symbolicLinks" if entry.mode == "120000" else "files"
    return member, item | {"blobId": entry.id, "fileMode": file_mode(entry.mode)}


def difference(old: TreeEntry | None, new: TreeEntry | None) -> Difference:
    """Return Difference."""
    answer = Difference(changeType="A" if old is None else "D" if new is None else "M")
    if old is not None:
        answer["beforeBlob"] = _blob_metadata(old)
    if new is not None:
        answer["afterBlob"] = _blob_metadata(new)
    return answer


def _user_info(person: Person) -> UserInfo:
    return UserInfo(name=person.name, email=person.email, date=person.date)


def _blob_metadata(entry: TreeEntry) -> BlobMetadata:
    return BlobMetadata(blobId=entry.id, path=entry.path, mode=entry.mode)
