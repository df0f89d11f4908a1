"""CodeCommit: real git repositories, by API and by git, and the CloudFormation type that makes them."""

import io
import zipfile
import zlib
from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.codecommit.commits import Commits
from local_aws.services.codecommit.git_repository import Change, Person
from local_aws.services.codecommit.repositories import Repository
from local_aws.services.codecommit.validation import check_branch_name, check_file_path

# CloudFormation user guide, AWS::CodeCommit::Repository Code (pitfall B4).
SEED_LIMIT = 20 * 1024 * 1024
SYMLINK = 0o120000
KINDS = 0o170000


class CodeCommit(Commits):
    """The service. Its repositories answer git on the gateway's port under /v1/repos/<name>."""

    def archive(self, repository: str, commit: str) -> bytes:
        """Return the files of a commit as a zip; raises `CommitDoesNotExistException`."""
        with self.lock:
            found = self.find(repository)
            if not found.git.has_commit(commit):
                raise AwsError("CommitDoesNotExistException", f"Commit {commit} does not exist")
        return found.git.archive(commit)

    def resource_types(self) -> dict[str, ResourceType]:
        """Return AWS::CodeCommit::Repository."""
        return {"AWS::CodeCommit::Repository": ResourceType(self._create, self._delete, self._update)}

    def _create(self, properties: Properties, logical_id: str, stack: str) -> tuple[str, dict[str, Any]]:
        wanted = dict(properties)
        code = wanted.pop("Code", None)
        seed = self._seed(code) if code else None
        self.call("CreateRepository", _arguments(wanted))
        repository = self.find(wanted["RepositoryName"])
        if seed is not None:
            branch, change = seed
            with self.lock:
                self._first_commit(repository, branch, change)
        return repository.id, self._attributes(repository)

    def _update(self, physical_id: str, old: Properties, new: Properties) -> dict[str, Any]:
        """Change name, description and tags. A changed `Code` is ignored: AWS reads it at creation only."""
        with self.lock:
            repository = self._by_id(physical_id)
            wanted = _arguments({name: value for name, value in new.items() if name != "Code"})
            if wanted["repositoryName"] != repository.name:
                names = {"oldName": repository.name, "newName": wanted["repositoryName"]}
                self.update_repository_name(names)
            repository.description = wanted.get("repositoryDescription")
            repository.tags = dict(wanted.get("tags", {}))
            repository.save()
            return self._attributes(repository)

    def _delete(self, physical_id: str, properties: Properties) -> None:
        with self.lock:
            if any(repository.id == physical_id for repository in self.repositories.values()):
                self.delete_repository({"repositoryName": self._by_id(physical_id).name})

    def _by_id(self, identifier: str) -> Repository:
        for repository in self.repositories.values():
            if repository.id == identifier:
                return repository
        raise AwsError("RepositoryDoesNotExistException", f"{identifier} does not exist")

    def _attributes(self, repository: Repository) -> dict[str, Any]:
        shown = self.metadata(repository)
        return {
            "Arn": shown["Arn"],
            "Name": shown["repositoryName"],
            "CloneUrlHttp": shown["cloneUrlHttp"],
            "CloneUrlSsh": shown["cloneUrlSsh"],
        }

    def _seed(self, code: Properties) -> tuple[str, Change]:
        """Return the branch and the files that a template's `Code` starts a repository with."""
        unknown = {*code} - {"S3", "BranchName"} | {*code.get("S3", {})} - {"Bucket", "Key", "ObjectVersion"}
        if unknown:
            raise AwsError("ValidationError", f"Encountered unsupported property Code.{min(unknown)}")
        branch = check_branch_name(code.get("BranchName", "main"))
        place = code["S3"]
        version = {"VersionId": place["ObjectVersion"]} if "ObjectVersion" in place else {}
        found = self.context.client("s3").get_object(Bucket=place["Bucket"], Key=place["Key"], **version)
        if found["ContentLength"] > SEED_LIMIT:
            raise AwsError("InvalidRequest", "Code archive supplied cannot be more than 20 MB compressed")
        return branch, Change(put=_files(found["Body"].read()))

    def _first_commit(self, repository: Repository, branch: str, change: Change) -> None:
        person = Person(
            "AWS CodeCommit", "noreply-awscodecommit@amazon.com", f"{int(now().timestamp())} +0000"
        )
        repository.git.write(branch, None, person, "Initial commit by AWS CodeCommit\n", change)
        repository.git.set_default_branch(branch)
        self.announce(repository)


def _arguments(properties: Properties) -> dict[str, Any]:
    wanted = dict(properties)
    if wanted.pop("Triggers", None):
        raise AwsError(
            "UnsupportedOperation", "local_aws has no CodeCommit triggers: use an EventBridge rule"
        )
    tags = {tag["Key"]: tag["Value"] for tag in wanted.pop("Tags", [])}
    return arguments("codecommit", "CreateRepository", {**wanted, "tags": tags})


def _files(archive: bytes) -> dict[str, tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            return {
                check_file_path(info.filename): (_mode(info), files.read(info))
                for info in files.infolist()
                if not info.is_dir()
            }
    # Packed in a way that Python does not know, encrypted, or cut short.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise AwsError("InvalidRequest", f"Code archive supplied is not a zip file: {error}") from error


def _mode(info: zipfile.ZipInfo) -> str:
    bits = info.external_attr >> 16
    if bits & KINDS == SYMLINK:
        return "120000"
    return "100755" if bits & 0o111 else "100644"
