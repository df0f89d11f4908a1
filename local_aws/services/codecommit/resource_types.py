"""AWS::CodeCommit::Repository, CloudFormation's repository.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-codecommit-repository.html
"""

import io
import zipfile
import zlib
from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.codecommit.commits import Commits
from local_aws.services.codecommit.errors import unsupported
from local_aws.services.codecommit.git_repository import FileChanges, Person
from local_aws.services.codecommit.records import Repository
from local_aws.services.codecommit.serializers import repository_metadata
from local_aws.services.codecommit.validation import check_branch_name, check_file_path

# CloudFormation user guide, AWS::CodeCommit::Repository Code (pitfall B4).
SEED_LIMIT = 20 * 1024 * 1024
SYMLINK = 0o120000
FILE_TYPE_MASK = 0o170000


def resource_types(service: Commits) -> dict[str, ResourceType]:
    """Return how CloudFormation creates, updates and deletes repositories of `service`."""

    def create(properties: Properties, logical_id: str, stack: str) -> tuple[str, dict[str, Any]]:
        settings = dict(properties)
        code = settings.pop("Code", None)
        seed = _read_seed(service, code) if code else None
        service.call("CreateRepository", _create_arguments(settings))
        repository = service.find(settings["RepositoryName"])
        if seed is not None:
            with service.lock:
                _write_first_commit(service, repository, *seed)
        return repository.id, _attributes(service, repository)

    def update(repository_id: str, old: Properties, new: Properties) -> dict[str, Any]:
        # A changed `Code` is ignored: CloudFormation reads it at creation only.
        with service.lock:
            repository = service.find_by_id(repository_id)
            settings = _create_arguments({name: value for name, value in new.items() if name != "Code"})
            if settings["repositoryName"] != repository.name:
                names = {"oldName": repository.name, "newName": settings["repositoryName"]}
                service.update_repository_name(names)
            repository.description = settings.get("repositoryDescription")
            repository.tags = dict(settings.get("tags", {}))
            repository.save()
            return _attributes(service, repository)

    def delete(repository_id: str, properties: Properties) -> None:
        with service.lock:
            if any(repository.id == repository_id for repository in service.repositories.values()):
                service.delete_repository({"repositoryName": service.find_by_id(repository_id).name})

    return {"AWS::CodeCommit::Repository": ResourceType(create, delete, update)}


def _attributes(service: Commits, repository: Repository) -> dict[str, Any]:
    metadata = repository_metadata(service.context, repository)
    return {
        "Arn": metadata["Arn"],
        "Name": metadata["repositoryName"],
        "CloneUrlHttp": metadata["cloneUrlHttp"],
        "CloneUrlSsh": metadata["cloneUrlSsh"],
    }


def _create_arguments(properties: Properties) -> dict[str, Any]:
    settings = dict(properties)
    if settings.pop("Triggers", None):
        raise AwsError(
            "UnsupportedOperation", "local_aws has no CodeCommit triggers: use an EventBridge rule"
        )
    tags = {tag["Key"]: tag["Value"] for tag in settings.pop("Tags", [])}
    return arguments("codecommit", "CreateRepository", {**settings, "tags": tags})


def _read_seed(service: Commits, code: Properties) -> tuple[str, FileChanges]:
    """Return the branch and the files of a template's `Code` property."""
    unknown = {*code} - {"S3", "BranchName"} | {*code.get("S3", {})} - {"Bucket", "Key", "ObjectVersion"}
    if unknown:
        raise unsupported(f"local_aws does not support the property Code.{min(unknown)}")
    branch = check_branch_name(code.get("BranchName", "main"))
    source = code["S3"]
    version = {"VersionId": source["ObjectVersion"]} if "ObjectVersion" in source else {}
    found = service.context.client("s3").get_object(Bucket=source["Bucket"], Key=source["Key"], **version)
    if found["ContentLength"] > SEED_LIMIT:
        raise AwsError("InvalidRequest", "Code archive supplied cannot be more than 20 MB compressed")
    return branch, FileChanges(put=read_archive(found["Body"].read()))


def read_archive(archive: bytes) -> dict[str, tuple[str, bytes]]:
    """Return the files of a zip, each with git's mode and its content; raises `AwsError` for a bad zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as files:
            return {
                check_file_path(info.filename): (_git_mode(info), files.read(info))
                for info in files.infolist()
                if not info.is_dir()
            }
    # A compression method that Python does not support, an encrypted or a truncated archive.
    except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError) as error:
        raise AwsError("InvalidRequest", f"Code archive supplied is not a zip file: {error}") from error


def _git_mode(info: zipfile.ZipInfo) -> str:
    mode = info.external_attr >> 16
    if mode & FILE_TYPE_MASK == SYMLINK:
        return "120000"
    return "100755" if mode & 0o111 else "100644"


def _write_first_commit(service: Commits, repository: Repository, branch: str, files: FileChanges) -> None:
    date = f"{int(now().timestamp())} +0000"
    author = Person("AWS CodeCommit", "noreply-awscodecommit@amazon.com", date)
    repository.git.write(branch, None, author, "Initial commit by AWS CodeCommit\n", files)
    repository.git.set_default_branch(branch)
    service.announce(repository)
