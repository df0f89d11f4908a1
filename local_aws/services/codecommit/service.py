"""CodeCommit: git repositories, by API and over git's smart HTTP protocol."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from botocore.model import OperationModel

from local_aws.core.api import Counts
from local_aws.core.cloudformation import ResourceType
from local_aws.services.codecommit.encryption import check_key
from local_aws.services.codecommit.errors import commit_does_not_exist
from local_aws.services.codecommit.pull_requests import PullRequests
from local_aws.services.codecommit.records import Repository
from local_aws.services.codecommit.resource_types import resource_types


class CodeCommit(PullRequests):
    """The service. The gateway serves its repositories to git under /v1/repos/<name> (see `git_http`)."""

    counts: ClassVar[Counts] = {
        "CreateApprovalRuleTemplate": lambda own, _: len(own.templates),
        "CreatePullRequest": lambda own, params: own.open_pull_requests(params),
        "CreateRepository": lambda own, _: len(own.repositories),
        "UpdatePullRequestApprovalState": lambda own, params: own.approvals(params),
    }

    def archive(self, repository: str, commit: str) -> bytes:
        """Return the files of a commit as a zip; raises `CommitDoesNotExistException`."""
        with self.lock:
            found = self.find(repository)
            if not found.git.has_commit(commit):
                raise commit_does_not_exist(commit)
        return found.git.archive(commit)

    def check_resources(self, operation: OperationModel, params: Mapping[str, Any]) -> None:
        """Refuse a repository whose key AWS could not use."""
        if operation.name == "CreateRepository":
            check_key(self.context, operation, params.get("kmsKeyId"))
        for repository in self._named(params):
            check_key(self.context, operation, repository.kms_key)

    def approvals(self, params: Mapping[str, Any]) -> int:
        """Return how many have approved a pull request to which a call adds an approval."""
        record = self.pull_requests.get(params["pullRequestId"])
        if record is None or params["approvalState"] != "APPROVE":
            return -1
        return len(record["approvals"].get(params["revisionId"], []))

    def _named(self, params: Mapping[str, Any]) -> Iterator[Repository]:
        """Yield the repositories that a call names, itself or by a pull request."""
        names = [params[key] for key in ("repositoryName", "oldName") if key in params]
        names += params.get("repositoryNames", [])
        names += [target["repositoryName"] for target in params.get("targets", [])]
        yield from (self.repositories[name] for name in names if name in self.repositories)
        record = self.pull_requests.get(params.get("pullRequestId", ""))
        if record is not None:
            yield self.find_by_id(record["repository"])

    def resource_types(self) -> dict[str, ResourceType]:
        """Return AWS::CodeCommit::Repository."""
        return resource_types(self)
