"""CodeCommit's repositories: their records, tags and references, and the events of a reference that moved."""

import json
import shutil
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from local_aws.core.api import AwsError, JsonService, now
from local_aws.core.context import Context
from local_aws.services.codecommit.git_repository import GitError, GitRepository
from local_aws.services.codecommit.validation import check_branch_name, check_repository_name

RECORD = "codecommit.json"


@dataclass
class Repository:
    """What CodeCommit knows of a repository besides its commits; kept as a file in the repository itself."""

    id: str
    name: str
    git: GitRepository
    description: str | None = None
    kms_key: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    modified: datetime = field(default_factory=now)
    # The references as last told to EventBridge.
    announced: dict[str, str] = field(default_factory=dict)

    def save(self) -> None:
        """Write the record beside the commits."""
        kept = {name: value for name, value in asdict(self).items() if name not in ("git", "announced")}
        target = self.git.path / RECORD
        draft = target.with_suffix(".new")
        draft.write_text(json.dumps(kept, default=datetime.isoformat))
        draft.replace(target)

    @classmethod
    def load(cls, path: Path) -> "Repository":
        """Read the record of the repository at `path`."""
        kept = json.loads((path / RECORD).read_text())
        for name in ("created", "modified"):
            kept[name] = datetime.fromisoformat(kept[name])
        git = GitRepository(path)
        return cls(git=git, announced=git.refs(), **kept)


class Repositories(JsonService):
    """The operations on whole repositories."""

    service = "codecommit"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.folder = context.state / "codecommit"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.repositories: dict[str, Repository] = {}
        for record in self.folder.glob(f"*.git/{RECORD}"):
            repository = Repository.load(record.parent)
            self.repositories[repository.name] = repository
        self._events: deque[tuple[str, dict[str, Any]]] = deque()
        self._emitting = threading.Lock()

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return what is told and still to be told of references; all else lies in the repositories."""
        told = {one.id: one.announced for one in self.repositories.values()}
        return {"told": told, "events": list(self._events)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Take back what was told; a repository that is not known is told as it stands."""
        for one in self.repositories.values():
            one.announced = kept["told"].get(one.id, one.announced)
        self._events.extend(kept["events"])

    def resume(self) -> None:
        """Tell what was pushed, and not told, before local_aws ended."""
        with self.lock:
            for one in self.repositories.values():
                self.announce(one)
        self._emit()

    def create_repository(self, params: dict[str, Any]) -> dict[str, Any]:
        name = check_repository_name(params["repositoryName"])
        if name in self.repositories:
            raise AwsError("RepositoryNameExistsException", f"Repository named {name} already exists")
        identifier = str(uuid.uuid4())
        git = GitRepository.create(self.folder / f"{identifier}.git")
        repository = Repository(
            identifier,
            name,
            git,
            params.get("repositoryDescription"),
            params.get("kmsKeyId"),
            dict(params.get("tags", {})),
        )
        repository.save()
        self.repositories[name] = repository
        return {"repositoryMetadata": self.metadata(repository)}

    def get_repository(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"repositoryMetadata": self.metadata(self.find(params["repositoryName"]))}

    def batch_get_repositories(self, params: dict[str, Any]) -> dict[str, Any]:
        names = params["repositoryNames"]
        return {
            "repositories": [self.metadata(self.repositories[n]) for n in names if n in self.repositories],
            "repositoriesNotFound": [n for n in names if n not in self.repositories],
        }

    def list_repositories(self, params: dict[str, Any]) -> dict[str, Any]:
        found = sorted(self.repositories.values(), key=lambda r: r.name)
        if params.get("sortBy") == "lastModifiedDate":
            found.sort(key=lambda r: r.modified)
        if params.get("order") == "descending":
            found.reverse()
        return {"repositories": [{"repositoryName": r.name, "repositoryId": r.id} for r in found]}

    def delete_repository(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete the repository and its commits; AWS says nothing when there is none of that name."""
        repository = self.repositories.pop(check_repository_name(params["repositoryName"]), None)
        if repository is None:
            return {}
        # Out of the way first: a push that still runs must not find half a repository.
        grave = self.folder / f"{repository.id}.deleted"
        repository.git.path.rename(grave)
        shutil.rmtree(grave)
        return {"repositoryId": repository.id}

    def update_repository_description(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.find(params["repositoryName"])
        repository.description = params.get("repositoryDescription")
        return self._modified(repository)

    def update_repository_name(self, params: dict[str, Any]) -> dict[str, Any]:
        new = check_repository_name(params["newName"])
        repository = self.find(params["oldName"])
        if new in self.repositories:
            raise AwsError("RepositoryNameExistsException", f"Repository named {new} already exists")
        self.repositories[new] = self.repositories.pop(repository.name)
        repository.name = new
        return self._modified(repository)

    def update_default_branch(self, params: dict[str, Any]) -> dict[str, Any]:
        repository = self.find(params["repositoryName"])
        branch = check_branch_name(params["defaultBranchName"])
        if f"refs/heads/{branch}" not in repository.git.refs():
            raise AwsError("BranchDoesNotExistException", f"Branch {branch} does not exist")
        repository.git.set_default_branch(branch)
        return self._modified(repository)

    def tag_resource(self, params: dict[str, Any]) -> None:
        repository = self._by_arn(params["resourceArn"])
        repository.tags |= params["tags"]
        repository.save()

    def untag_resource(self, params: dict[str, Any]) -> None:
        repository = self._by_arn(params["resourceArn"])
        repository.tags = {k: v for k, v in repository.tags.items() if k not in params["tagKeys"]}
        repository.save()

    def list_tags_for_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"tags": dict(self._by_arn(params["resourceArn"]).tags)}

    def find(self, name: str) -> Repository:
        """Return the repository named `name`; raises `RepositoryDoesNotExistException`."""
        check_repository_name(name)
        if name not in self.repositories:
            raise AwsError("RepositoryDoesNotExistException", f"{name} does not exist")
        return self.repositories[name]

    def metadata(self, repository: Repository) -> dict[str, Any]:
        """Return a repository as the API shows it."""
        region = self.context.region
        shown = {
            "accountId": self.context.account,
            "repositoryId": repository.id,
            "repositoryName": repository.name,
            "repositoryDescription": repository.description,
            "defaultBranch": repository.git.default_branch(),
            "creationDate": repository.created,
            "lastModifiedDate": repository.modified,
            "cloneUrlHttp": f"{self.context.endpoint}/v1/repos/{repository.name}",
            "cloneUrlSsh": f"ssh://git-codecommit.{region}.amazonaws.com/v1/repos/{repository.name}",
            "Arn": self.arn(repository),
            "kmsKeyId": repository.kms_key,
        }
        return {name: value for name, value in shown.items() if value is not None}

    def arn(self, repository: Repository) -> str:
        """Return the ARN of a repository."""
        return self.context.arn("codecommit", repository.name)

    def git_directory(self, name: str) -> Path | None:
        """Return where the repository `name` lies, or None (git's HTTP protocol asks)."""
        with self.lock:
            repository = self.repositories.get(name)
            return repository.git.path if repository else None

    def pushed(self, name: str) -> None:
        """Announce what a push has changed."""
        with self.lock:
            if name in self.repositories:
                self.announce(self.repositories[name])

    def announce(self, repository: Repository) -> None:
        """Send an event for each reference that differs from what was announced before."""
        try:
            refs = repository.git.refs()
            if repository.git.default_branch() is None and (branches := _branches(refs)):
                # The first branch to come becomes the default one, as on AWS.
                repository.git.set_default_branch(branches[0])
        except GitError:
            if repository.git.path.exists():
                raise
            return
        before, repository.announced = repository.announced, refs
        for ref in sorted({*before, *refs}):
            if before.get(ref) != refs.get(ref):
                event = self._reference_event(repository, ref, before.get(ref), refs.get(ref))
                self._events.append((self.arn(repository), event))
        if self._events:
            repository.modified = now()
            repository.save()
            # Not here: a target of the event may call back, and this thread holds the lock.
            self.context.spawn("codecommit events", self._emit)

    def _emit(self) -> None:
        with self._emitting:
            while self._events:
                # It is kept until it is told.
                arn, detail = self._events[0]
                self.context.emit("aws.codecommit", "CodeCommit Repository State Change", [arn], detail)
                self._events.popleft()

    def _reference_event(
        self, repository: Repository, ref: str, old: str | None, new: str | None
    ) -> dict[str, Any]:
        """Return the detail of the event (CodeCommit user guide, "Monitoring events")."""
        _, kind, name = ref.split("/", 2)
        verb = "Created" if old is None else "Deleted" if new is None else "Updated"
        detail = {
            "event": f"reference{verb}",
            "repositoryName": repository.name,
            "repositoryId": repository.id,
            "referenceType": "branch" if kind == "heads" else "tag",
            "referenceName": name,
            "referenceFullName": ref,
            "commitId": new,
            "oldCommitId": old,
            "callerUserArn": f"arn:aws:iam::{self.context.account}:root",
        }
        return {key: value for key, value in detail.items() if value is not None}

    def _modified(self, repository: Repository) -> dict[str, Any]:
        repository.modified = now()
        repository.save()
        return {}

    def _by_arn(self, arn: str) -> Repository:
        name = arn.rpartition(":")[2]
        repository = self.repositories.get(name)
        if repository is None or self.arn(repository) != arn:
            raise AwsError("RepositoryDoesNotExistException", f"{name} does not exist")
        return repository


def _branches(refs: dict[str, str]) -> list[str]:
    return [name.removeprefix("refs/heads/") for name in refs if name.startswith("refs/heads/")]
