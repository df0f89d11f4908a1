"""CodeCommit's operations on what is in a repository: branches, commits, files, differences."""

from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.services.codecommit.file_changes import requested_change
from local_aws.services.codecommit.git_repository import ZERO, Change, Entry, Person, RefMovedError
from local_aws.services.codecommit.repositories import Repositories, Repository
from local_aws.services.codecommit.validation import check_branch_name, check_file_path, file_mode

HEADS = "refs/heads/"


class Commits(Repositories):
    """Branches, commits and files of `Repositories`."""

    def get_branch(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.find(_required(params, "repositoryName", "RepositoryNameRequiredException"))
        branch = check_branch_name(_required(params, "branchName", "BranchNameRequiredException"))
        return {"branch": {"branchName": branch, "commitId": _tip(repository, branch)}}

    def list_branches(self, params: dict[str, Any]) -> dict[str, Any]:
        refs = self.find(params["repositoryName"]).git.refs()
        return {"branches": [ref.removeprefix(HEADS) for ref in refs if ref.startswith(HEADS)]}

    def create_branch(self, params: dict[str, Any]) -> None:
        repository = self.find(params["repositoryName"])
        branch = check_branch_name(params["branchName"])
        if HEADS + branch in repository.git.refs():
            raise AwsError("BranchNameExistsException", f"Branch {branch} already exists")
        if not repository.git.has_commit(params["commitId"]):
            raise AwsError("CommitDoesNotExistException", f"Commit {params['commitId']} does not exist")
        repository.git.move(HEADS + branch, params["commitId"], ZERO)
        self.announce(repository)

    def delete_branch(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.find(params["repositoryName"])
        branch = check_branch_name(params["branchName"])
        tip = repository.git.refs().get(HEADS + branch)
        if tip is None:
            return {}
        if branch == repository.git.default_branch():
            raise AwsError(
                "DefaultBranchCannotBeDeletedException",
                f"{branch} is the default branch of the repository and cannot be deleted. "
                "To delete this branch, you must first set another branch as the default branch",
            )
        repository.git.git("update-ref", "-d", HEADS + branch, tip)
        self.announce(repository)
        return {"deletedBranch": {"branchName": branch, "commitId": tip}}

    def create_commit(self, params: dict[str, Any]) -> dict[str, Any]:
        _refuse(params, "keepEmptyFolders")
        repository = self.find(params["repositoryName"])
        parent = self._parent(repository, params)
        before = {entry.path: entry for entry in repository.git.entries(parent)} if parent else {}
        change = requested_change(repository.git, params, before)
        commit = self._write(repository, parent, params, change)
        after = {entry.path: entry for entry in repository.git.entries(commit)}
        return {
            "commitId": commit,
            "treeId": repository.git.tree_of(commit),
            "filesAdded": [_shown(after[path]) for path in change.put if path not in before],
            "filesUpdated": [_shown(after[path]) for path in change.put if path in before],
            "filesDeleted": [_shown(before[path]) for path in change.delete],
        }

    def put_file(self, params: dict[str, Any]) -> dict[str, Any]:
        item = {
            "filePath": params["filePath"],
            "fileContent": params["fileContent"],
            "fileMode": params.get("fileMode", "NORMAL"),
        }
        try:
            done = self.create_commit(_one_file(params) | {"putFiles": [item]})
        except AwsError as error:
            if error.code == "NoChangeException":
                raise AwsError("SameFileContentException", error.message) from error
            raise
        blob = (done["filesAdded"] + done["filesUpdated"])[0]["blobId"]
        return {"commitId": done["commitId"], "blobId": blob, "treeId": done["treeId"]}

    def delete_file(self, params: dict[str, Any]) -> dict[str, Any]:
        done = self.create_commit(_one_file(params) | {"deleteFiles": [{"filePath": params["filePath"]}]})
        blob = done["filesDeleted"][0]["blobId"]
        answer = {"commitId": done["commitId"], "blobId": blob, "treeId": done["treeId"]}
        return answer | {"filePath": params["filePath"]}

    def get_file(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.find(params["repositoryName"])
        commit = _resolve(repository, params.get("commitSpecifier"))
        path = check_file_path(params["filePath"])
        for entry in repository.git.entries(commit):
            if entry.path == path and entry.kind == "blob":
                content = repository.git.blob(entry.id)
                shown = {"commitId": commit, "blobId": entry.id, "filePath": path}
                return shown | {
                    "fileMode": file_mode(entry.mode),
                    "fileSize": len(content),
                    "fileContent": content,
                }
        raise AwsError("FileDoesNotExistException", f"{path} does not exist in {commit}")

    def get_blob(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.find(params["repositoryName"])
        wanted = params["blobId"]
        if all(char in "0123456789abcdef" for char in wanted) and len(wanted) == len(ZERO):
            found = repository.git.git("cat-file", "--batch-check", stdin=f"{wanted}\n".encode())
            if found.split()[1] == b"blob":
                return {"content": repository.git.blob(wanted)}
        raise AwsError("BlobIdDoesNotExistException", f"Blob {wanted} does not exist")

    def get_folder(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.find(params["repositoryName"])
        commit = _resolve(repository, params.get("commitSpecifier"))
        folder = params["folderPath"].strip("/")
        tree = repository.git.tree_of(commit)
        for part in check_file_path(folder).split("/") if folder else []:
            inside = {entry.path: entry for entry in repository.git.entries(tree, recursive=False)}
            if part not in inside or inside[part].kind != "tree":
                raise AwsError("FolderDoesNotExistException", f"{folder} does not exist in {commit}")
            tree = inside[part].id
        answer: dict[str, Any] = {"commitId": commit, "folderPath": folder, "treeId": tree}
        answer |= {"subFolders": [], "files": [], "symbolicLinks": [], "subModules": []}
        for entry in repository.git.entries(tree, recursive=False):
            place, item = _listed(entry, folder)
            answer[place].append(item)
        return answer

    def get_commit(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.find(params["repositoryName"])
        if not repository.git.has_commit(params["commitId"]):
            raise AwsError("CommitIdDoesNotExistException", f"Commit {params['commitId']} does not exist")
        commit = repository.git.commit(params["commitId"])
        return {
            "commit": {
                "commitId": commit.id,
                "treeId": commit.tree,
                "parents": commit.parents,
                "message": commit.message,
                "author": vars(commit.author),
                "committer": vars(commit.committer),
                "additionalData": "",
            }
        }

    def get_differences(self, params: dict[str, Any]) -> dict[str, Any]:
        _refuse(params, "beforePath", "afterPath")
        repository = self.find(params["repositoryName"])
        before = params.get("beforeCommitSpecifier")
        pairs = repository.git.changes(
            _resolve(repository, before) if before else None,
            _resolve(repository, params["afterCommitSpecifier"]),
        )
        return {"differences": [_difference(old, new) for old, new in pairs]}

    def _parent(self, repository: Repository, params: dict[str, Any]) -> str | None:
        branch = check_branch_name(params["branchName"])
        refs = repository.git.refs()
        tip = refs.get(HEADS + branch)
        given = params.get("parentCommitId")
        if tip is None:
            if any(ref.startswith(HEADS) for ref in refs):
                raise AwsError("BranchDoesNotExistException", f"Branch {branch} does not exist")
            return None
        if given is None:
            raise AwsError("ParentCommitIdRequiredException", "A parent commit ID is required")
        if not repository.git.has_commit(given):
            raise AwsError("ParentCommitDoesNotExistException", f"Commit {given} does not exist")
        if given != tip:
            raise AwsError(
                "ParentCommitIdOutdatedException",
                f"The parent commit ID {given} is not the current tip of the branch {branch} ({tip})",
            )
        return tip

    def _write(
        self, repository: Repository, parent: str | None, params: dict[str, Any], change: Change
    ) -> str:
        date = f"{int(now().timestamp())} +0000"
        person = Person(params.get("authorName", "root"), params.get("email", ""), date)
        message = params.get("commitMessage", "")
        try:
            commit = repository.git.write(params["branchName"], parent, person, message, change)
        except RefMovedError as error:
            raise AwsError("ConcurrentReferenceUpdateException", str(error)) from error
        self.announce(repository)
        return commit


def _tip(repository: Repository, branch: str) -> str:
    tip = repository.git.refs().get(HEADS + branch)
    if tip is None:
        raise AwsError("BranchDoesNotExistException", f"Branch {branch} does not exist")
    return tip


def _resolve(repository: Repository, specifier: str | None) -> str:
    """Return the commit of a branch, tag, full reference or commit id; of the default branch for None."""
    refs = repository.git.refs()
    name = repository.git.default_branch() if specifier in (None, "HEAD") else specifier
    if name is not None:
        for ref in (HEADS + name, f"refs/tags/{name}", name):
            if ref in refs:
                return refs[ref]
        if repository.git.has_commit(name):
            return name
    raise AwsError("CommitDoesNotExistException", f"Commit {specifier} does not exist")


def _one_file(params: dict[str, Any]) -> dict[str, Any]:
    kept = ("repositoryName", "branchName", "parentCommitId", "commitMessage", "email", "keepEmptyFolders")
    return {name: params[name] for name in kept if name in params} | {
        "authorName": params.get("name", "root")
    }


def _shown(entry: Entry) -> dict[str, str]:
    return {"absolutePath": entry.path, "blobId": entry.id, "fileMode": file_mode(entry.mode)}


def _listed(entry: Entry, folder: str) -> tuple[str, dict[str, str]]:
    names = {"absolutePath": f"{folder}/{entry.path}".lstrip("/"), "relativePath": entry.path}
    if entry.kind == "tree":
        return "subFolders", names | {"treeId": entry.id}
    if entry.kind == "commit":
        return "subModules", names | {"commitId": entry.id}
    place = "symbolicLinks" if entry.mode == "120000" else "files"
    return place, names | {"blobId": entry.id, "fileMode": file_mode(entry.mode)}


def _difference(old: Entry | None, new: Entry | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"changeType": "A" if old is None else "D" if new is None else "M"}
    for name, entry in (("beforeBlob", old), ("afterBlob", new)):
        if entry is not None:
            shown[name] = {"blobId": entry.id, "path": entry.path, "mode": entry.mode}
    return shown


def _required(params: dict[str, Any], name: str, code: str) -> str:
    if name not in params:
        raise AwsError(code, f"{name} is required")
    return str(params[name])


def _refuse(params: dict[str, Any], *names: str) -> None:
    for name in names:
        if params.get(name):
            raise AwsError("UnsupportedOperation", f"local_aws does not know the argument {name}", 501)
