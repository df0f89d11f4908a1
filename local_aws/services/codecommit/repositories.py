"""CodeCommit's operations on whole repositories and their tags, and the events of changed references."""

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from local_aws.core.api import JsonService, now
from local_aws.core.context import Context
from local_aws.services.codecommit.errors import (
    branch_does_not_exist,
    repository_does_not_exist,
    repository_name_exists,
)
from local_aws.services.codecommit.events import EventQueue, reference_changes
from local_aws.services.codecommit.git_repository import HEADS, GitError, GitRepository, branches
from local_aws.services.codecommit.records import RECORD_FILE, Repository
from local_aws.services.codecommit.serializers import repository_arn, repository_metadata
from local_aws.services.codecommit.validation import (
    INVALID_REPOSITORY_NAME,
    check_branch_name,
    check_repository_name,
)


class Repositories(JsonService):
    """The operations on whole repositories."""

    service = "codecommit"
    messages: ClassVar = {"InvalidRepositoryNameException": INVALID_REPOSITORY_NAME}

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.folder = context.state / "codecommit"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.repositories: dict[str, Repository] = {}
        for record in self.folder.glob(f"*.git/{RECORD_FILE}"):
            repository = Repository.load(record.parent)
            self.repositories[repository.name] = repository
        self.events = EventQueue(context)

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return the announced references and the queued events; all else is in the repositories."""
        announced = {repository.id: repository.announced for repository in self.repositories.values()}
        return {"announced": announced, "events": list(self.events.pending)}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Restore the announced references; those of a repository without any count as announced."""
        for repository in self.repositories.values():
            repository.announced = kept["announced"].get(repository.id, repository.announced)
        self.events.extend(kept["events"])

    def resume(self) -> None:
        """Announce what was pushed, but not announced, before local_aws ended."""
        with self.lock:
            for repository in self.repositories.values():
                self.announce(repository)
        self.events.send()

    def create_repository(self, params: dict[str, Any]) -> dict[str, Any]:
        """Create an empty repository."""
        name = check_repository_name(params["repositoryName"])
        if name in self.repositories:
            raise repository_name_exists(name)
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
        return {"repositoryMetadata": repository_metadata(self.context, repository)}

    def get_repository(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a repository."""
        return {"repositoryMetadata": repository_metadata(self.context, self.find(params["repositoryName"]))}

    def batch_get_repositories(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return several repositories, and the names of those that do not exist."""
        names = params["repositoryNames"]
        return {
            "repositories": [
                repository_metadata(self.context, self.repositories[name])
                for name in names
                if name in self.repositories
            ],
            "repositoriesNotFound": [name for name in names if name not in self.repositories],
        }

    def list_repositories(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the names and the IDs of the repositories."""
        found = sorted(self.repositories.values(), key=lambda r: r.name)
        if params.get("sortBy") == "lastModifiedDate":
            found.sort(key=lambda r: r.modified)
        if params.get("order") == "descending":
            found.reverse()
        return {"repositories": [{"repositoryName": r.name, "repositoryId": r.id} for r in found]}

    def delete_repository(self, params: dict[str, Any]) -> dict[str, Any]:
        """Delete the repository and its commits; an unknown name is not an error, as on AWS."""
        repository = self.repositories.pop(check_repository_name(params["repositoryName"]), None)
        if repository is None:
            return {}
        # Renamed first: a push in progress must not find a half-deleted repository.
        trash = self.folder / f"{repository.id}.deleted"
        repository.git.path.rename(trash)
        shutil.rmtree(trash)
        return {"repositoryId": repository.id}

    def update_repository_description(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a repository's description."""
        repository = self.find(params["repositoryName"])
        repository.description = params.get("repositoryDescription")
        return self._modified(repository)

    def update_repository_name(self, params: dict[str, Any]) -> dict[str, Any]:
        """Rename a repository."""
        new = check_repository_name(params["newName"])
        repository = self.find(params["oldName"])
        if new in self.repositories:
            raise repository_name_exists(new)
        self.repositories[new] = self.repositories.pop(repository.name)
        repository.name = new
        return self._modified(repository)

    def update_default_branch(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a repository's default branch."""
        repository = self.find(params["repositoryName"])
        branch = check_branch_name(params["defaultBranchName"])
        if HEADS + branch not in repository.git.refs():
            raise branch_does_not_exist(branch)
        repository.git.set_default_branch(branch)
        return self._modified(repository)

    def tag_resource(self, params: dict[str, Any]) -> None:
        """Add or change tags."""
        repository = self._by_arn(params["resourceArn"])
        repository.tags |= params["tags"]
        repository.save()

    def untag_resource(self, params: dict[str, Any]) -> None:
        """Remove tags."""
        repository = self._by_arn(params["resourceArn"])
        repository.tags = {k: v for k, v in repository.tags.items() if k not in params["tagKeys"]}
        repository.save()

    def list_tags_for_resource(self, params: dict[str, Any]) -> dict[str, Any]:
        """List a repository's tags."""
        return {"tags": dict(self._by_arn(params["resourceArn"]).tags)}

    def find(self, name: str) -> Repository:
        """Return the repository named `name`; raises `RepositoryDoesNotExistException`."""
        check_repository_name(name)
        if name not in self.repositories:
            raise repository_does_not_exist(name)
        return self.repositories[name]

    def find_by_id(self, repository_id: str) -> Repository:
        """Return the repository with this ID; raises `RepositoryDoesNotExistException`."""
        for repository in self.repositories.values():
            if repository.id == repository_id:
                return repository
        raise repository_does_not_exist(repository_id)

    def git_directory(self, name: str) -> Path | None:
        """Return the git directory of the repository `name`, or None when there is no such repository."""
        with self.lock:
            repository = self.repositories.get(name)
            return repository.git.path if repository else None

    def repository_arn(self, name: str) -> str:
        """Return the ARN of the repository `name`."""
        return self.context.arn("codecommit", name)

    def pushed(self, name: str) -> None:
        """Announce the changes of a push."""
        with self.lock:
            if name in self.repositories:
                self.announce(self.repositories[name])

    def announce(self, repository: Repository) -> None:
        """Put an event on the bus for each reference that changed since the last call (under the lock)."""
        try:
            refs = repository.git.refs()
            if repository.git.default_branch() is None and (names := branches(refs)):
                # On AWS, the first branch that is pushed becomes the default branch.
                repository.git.set_default_branch(names[0])
        except GitError:
            if repository.git.path.exists():
                raise
            return
        arn = repository_arn(self.context, repository)
        caller = f"arn:aws:iam::{self.context.account}:root"
        self.events.extend((arn, change) for change in reference_changes(repository, refs, caller))
        repository.announced = refs
        if self.events.pending:
            repository.modified = now()
            repository.save()
            # On a thread of its own: a target of the event may call the API, and this thread holds the lock.
            self.context.spawn("codecommit events", self.events.send)

    def _modified(self, repository: Repository) -> dict[str, Any]:
        repository.modified = now()
        repository.save()
        return {}

    def _by_arn(self, arn: str) -> Repository:
        name = check_repository_name(arn.rpartition(":")[2])
        repository = self.repositories.get(name)
        if repository is None or repository_arn(self.context, repository) != arn:
            raise repository_does_not_exist(name)
        return repository
