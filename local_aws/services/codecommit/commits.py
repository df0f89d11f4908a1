"""CodeCommit's operations on the contents of a repository: branches, commits, files, differences."""

from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.services.codecommit import errors
from local_aws.services.codecommit.file_changes import file_changes
from local_aws.services.codecommit.git_repository import (
    HEADS,
    NO_COMMIT,
    FileChanges,
    Person,
    RefMovedError,
    branches,
)
from local_aws.services.codecommit.records import Repository
from local_aws.services.codecommit.repositories import Repositories
from local_aws.services.codecommit.serializers import (
    difference,
    file_metadata,
    folder_entry,
    serialize_commit,
)
from local_aws.services.codecommit.validation import (
    check_author_name,
    check_branch_name,
    check_file_path,
    check_message,
    check_size,
    compared_path,
    file_mode,
    is_in,
    is_object_id,
    refuse_arguments,
    required,
)


class Commits(Repositories):
    """Branches, commits and files of `Repositories`."""

    def get_branch(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a branch's name and the commit that it points to."""
        repository = self.find(required(params, "repositoryName", "RepositoryNameRequiredException"))
        branch = check_branch_name(required(params, "branchName", "BranchNameRequiredException"))
        return {"branch": {"branchName": branch, "commitId": _tip(repository, branch)}}

    def list_branches(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the names of the branches."""
        return {"branches": branches(self.find(params["repositoryName"]).git.refs())}

    def create_branch(self, params: dict[str, Any]) -> None:
        """Create a branch that points to a commit."""
        repository = self.find(params["repositoryName"])
        branch = check_branch_name(params["branchName"])
        if HEADS + branch in repository.git.refs():
            raise errors.branch_name_exists(branch)
        if not repository.git.has_commit(params["commitId"]):
            raise errors.commit_does_not_exist(params["commitId"])
        repository.git.update_ref(HEADS + branch, params["commitId"], NO_COMMIT)
        self.announce(repository)

    def delete_branch(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete a branch; an unknown name is not an error, as on AWS."""
        repository = self.find(params["repositoryName"])
        branch = check_branch_name(params["branchName"])
        tip = repository.git.refs().get(HEADS + branch)
        if tip is None:
            return {}
        if branch == repository.git.default_branch():
            raise errors.default_branch_cannot_be_deleted(branch)
        repository.git.git("update-ref", "-d", HEADS + branch, tip)
        self.announce(repository)
        return {"deletedBranch": {"branchName": branch, "commitId": tip}}

    def create_commit(self, params: dict[str, Any]) -> dict[str, Any]:
        """Commit changes of several files."""
        refuse_arguments(params, "keepEmptyFolders")
        check_message(params.get("commitMessage", ""))
        check_author_name(params.get("authorName", ""))
        repository = self.find(params["repositoryName"])
        parent = self._parent(repository, params)
        before = repository.git.files(parent) if parent else {}
        changes = file_changes(repository.git, params, before)
        commit = self._write(repository, parent, params, changes)
        after = repository.git.files(commit)
        return {
            "commitId": commit,
            "treeId": repository.git.tree_of(commit),
            "filesAdded": [file_metadata(after[path]) for path in changes.put if path not in before],
            "filesUpdated": [file_metadata(after[path]) for path in changes.put if path in before],
            "filesDeleted": [file_metadata(before[path]) for path in changes.delete],
        }

    def put_file(self, params: dict[str, Any]) -> dict[str, Any]:
        """Commit one added or changed file."""
        item = {
            "filePath": params["filePath"],
            "fileContent": params["fileContent"],
            "fileMode": params.get("fileMode", "NORMAL"),
        }
        try:
            answer = self.create_commit(_commit_arguments(params) | {"putFiles": [item]})
        except AwsError as error:
            if error.code == "NoChangeException":
                raise errors.same_file_content(error.message) from error
            raise
        blob = (answer["filesAdded"] + answer["filesUpdated"])[0]["blobId"]
        return {"commitId": answer["commitId"], "blobId": blob, "treeId": answer["treeId"]}

    def delete_file(self, params: dict[str, Any]) -> dict[str, Any]:
        """Commit the deletion of one file."""
        path = params["filePath"]
        answer = self.create_commit(_commit_arguments(params) | {"deleteFiles": [{"filePath": path}]})
        return {
            "commitId": answer["commitId"],
            "blobId": answer["filesDeleted"][0]["blobId"],
            "treeId": answer["treeId"],
            "filePath": path,
        }

    def get_file(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a file of a commit, with its content."""
        repository = self.find(params["repositoryName"])
        commit = _resolve(repository, params.get("commitSpecifier"))
        path = check_file_path(params["filePath"])
        entry = repository.git.files(commit).get(path)
        if entry is None or entry.kind != "blob":
            raise errors.file_does_not_exist(path, commit)
        content = repository.git.blob(entry.id)
        check_size(path, len(content))
        return {
            "commitId": commit,
            "blobId": entry.id,
            "filePath": path,
            "fileMode": file_mode(entry.mode),
            "fileSize": len(content),
            "fileContent": content,
        }

    def get_blob(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the content of a blob."""
        repository = self.find(params["repositoryName"])
        blob = params["blobId"]
        if not is_object_id(blob) or repository.git.object_type(blob) != "blob":
            raise errors.blob_id_does_not_exist(blob)
        content = repository.git.blob(blob)
        check_size(blob, len(content))
        return {"content": content}

    def get_folder(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the content of a folder of a commit."""
        repository = self.find(params["repositoryName"])
        commit = _resolve(repository, params.get("commitSpecifier"))
        folder = params["folderPath"].strip("/")
        tree = repository.git.tree_of(commit)
        for part in check_file_path(folder).split("/") if folder else []:
            entries = {entry.path: entry for entry in repository.git.entries(tree, recursive=False)}
            if part not in entries or entries[part].kind != "tree":
                raise errors.folder_does_not_exist(folder, commit)
            tree = entries[part].id
        answer: dict[str, Any] = {"commitId": commit, "folderPath": folder, "treeId": tree}
        answer |= {"subFolders": [], "files": [], "symbolicLinks": [], "subModules": []}
        for entry in repository.git.entries(tree, recursive=False):
            member, item = folder_entry(entry, folder)
            answer[member].append(item)
        return answer

    def get_commit(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a commit."""
        repository = self.find(params["repositoryName"])
        if not repository.git.has_commit(params["commitId"]):
            raise errors.commit_id_does_not_exist(params["commitId"])
        return {"commit": serialize_commit(repository.git.commit(params["commitId"]))}

    def get_differences(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the files that differ between two commits, or those of one path."""
        repository = self.find(params["repositoryName"])
        before = params.get("beforeCommitSpecifier")
        old = _resolve(repository, before) if before else None
        new = _resolve(repository, params["afterCommitSpecifier"])
        pairs = repository.git.changes(old, new)
        if (path := compared_path(params)) is not None:
            if not any(_has(repository, commit, path) for commit in (old, new)):
                raise errors.path_does_not_exist(path)
            pairs = [pair for pair in pairs if is_in(path, next(filter(None, pair)).path)]
        return {"differences": [difference(old, new) for old, new in pairs]}

    def _parent(self, repository: Repository, params: dict[str, Any]) -> str | None:
        branch = check_branch_name(params["branchName"])
        refs = repository.git.refs()
        tip = refs.get(HEADS + branch)
        parent = params.get("parentCommitId")
        if tip is None:
            if f"refs/tags/{branch}" in refs:
                raise errors.branch_name_is_tag_name(branch)
            if branches(refs):
                raise errors.branch_does_not_exist(branch)
            return None
        if parent is None:
            raise errors.parent_commit_id_required()
        if not repository.git.has_commit(parent):
            raise errors.parent_commit_does_not_exist(parent)
        if parent != tip:
            raise errors.parent_commit_id_outdated(parent, branch, tip)
        return tip

    def _write(
        self, repository: Repository, parent: str | None, params: dict[str, Any], changes: FileChanges
    ) -> str:
        date = f"{int(now().timestamp())} +0000"
        author = Person(params.get("authorName", "root"), params.get("email", ""), date)
        message = params.get("commitMessage", "")
        try:
            commit = repository.git.write(params["branchName"], parent, author, message, changes)
        except RefMovedError as error:
            raise errors.concurrent_reference_update(str(error)) from error
        self.announce(repository)
        return commit


def _has(repository: Repository, commit: str | None, path: str) -> bool:
    """Return whether a commit has a file or a folder at a path."""
    return commit is not None and any(is_in(path, file) for file in repository.git.files(commit))


def _tip(repository: Repository, branch: str) -> str:
    tip = repository.git.refs().get(HEADS + branch)
    if tip is None:
        raise errors.branch_does_not_exist(branch)
    return tip


def _resolve(repository: Repository, specifier: str | None) -> str:
    """Return the commit of a branch, tag, full reference or commit ID; None means the default branch."""
    refs = repository.git.refs()
    name = repository.git.default_branch() if specifier in (None, "HEAD") else specifier
    if name is not None:
        for ref in (HEADS + name, f"refs/tags/{name}", name):
            if ref in refs:
                return refs[ref]
        if repository.git.has_commit(name):
            return name
    raise errors.commit_does_not_exist(specifier)


def _commit_arguments(params: dict[str, Any]) -> dict[str, Any]:
    """Return those arguments of PutFile or DeleteFile that CreateCommit has too."""
    shared = ("repositoryName", "branchName", "parentCommitId", "commitMessage", "email", "keepEmptyFolders")
    return {name: params[name] for name in shared if name in params} | {
        "authorName": params.get("name", "root")
    }
