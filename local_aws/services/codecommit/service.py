"""CodeCommit: git repositories, by API and over git's smart HTTP protocol."""

from local_aws.core.cloudformation import ResourceType
from local_aws.services.codecommit.errors import commit_does_not_exist
from local_aws.services.codecommit.pull_requests import PullRequests
from local_aws.services.codecommit.resource_types import resource_types


class CodeCommit(PullRequests):
    """The service. The gateway serves its repositories to git under /v1/repos/<name> (see `git_http`)."""

    def archive(self, repository: str, commit: str) -> bytes:
        """Return the files of a commit as a zip; raises `CommitDoesNotExistException`."""
        with self.lock:
            found = self.find(repository)
            if not found.git.has_commit(commit):
                raise commit_does_not_exist(commit)
        return found.git.archive(commit)

    def resource_types(self) -> dict[str, ResourceType]:
        """Return AWS::CodeCommit::Repository."""
        return resource_types(self)
