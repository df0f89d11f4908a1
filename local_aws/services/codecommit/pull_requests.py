"""Pull requests: opened, approved, and merged by fast-forward if their approval rules are satisfied.

https://docs.aws.amazon.com/codecommit/latest/userguide/pull-requests.html
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError, now
from local_aws.services.codecommit.approval_rules import ApprovalRules, is_satisfied
from local_aws.services.codecommit.errors import concurrent_reference_update, unsupported
from local_aws.services.codecommit.git_repository import HEADS, GitError, RefMovedError
from local_aws.services.codecommit.records import Repository

Record = dict[str, Any]


class PullRequests(ApprovalRules):
    """The operations on pull requests with one target."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        # By id: PullRequest of the API, with the id of the repository and the approvals of its revision.
        self.pull_requests: dict[str, Record] = {}

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return the pull requests, too."""
        return {**super().to_snapshot(), "pull_requests": self.pull_requests}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Restore the pull requests."""
        super().restore(kept)
        self.pull_requests = kept["pull_requests"]

    def create_pull_request(self, params: dict[str, Any]) -> dict[str, Any]:
        """Open a pull request."""
        if (earlier := self._earlier(params)) is not None:
            return {"pullRequest": self._shape(earlier)}
        if len({target["repositoryName"] for target in params["targets"]}) > 1:
            message = "The targets of a pull request must be in one repository"
            raise AwsError("MultipleRepositoriesInPullRequestException", message)
        if len(params["targets"]) != 1:
            raise unsupported("local_aws has pull requests with one target only")
        target = params["targets"][0]
        repository = self.find(target["repositoryName"])
        default = repository.git.default_branch()
        source = _full_name(target["sourceReference"])
        destination = _full_name(target.get("destinationReference") or default or "")
        for reference in (source, destination):
            _tip(repository, reference)
        if source == destination:
            message = "The source branch and destination branch are the same"
            raise AwsError("SourceAndDestinationAreSameException", message)
        number = str(len(self.pull_requests) + 1)
        self.pull_requests[number] = {
            "pullRequestId": number,
            "title": params["title"],
            "description": params.get("description", ""),
            "creationDate": now(),
            "lastActivityDate": now(),
            "pullRequestStatus": "OPEN",
            "authorArn": self.caller_arn(),
            "approvalRules": self.rules_for(repository.id, destination),
            "repository": repository.id,
            "source": source,
            "destination": destination,
            "destinationCommit": _tip(repository, destination),
            "merged": None,
            "approvals": {},
            "request": dict(params),
        }
        return {"pullRequest": self._shape(self.pull_requests[number])}

    def get_pull_request(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return a pull request."""
        return {"pullRequest": self._shape(self._find_pull_request(params["pullRequestId"]))}

    def list_pull_requests(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the ids of the pull requests of a repository."""
        repository = self.find(params["repositoryName"])
        if "authorArn" in params:
            self._check_author(params["authorArn"])
        wanted = {"pullRequestStatus": params.get("pullRequestStatus"), "authorArn": params.get("authorArn")}
        found = [
            number
            for number, record in self.pull_requests.items()
            if record["repository"] == repository.id
            and all(value is None or record[key] == value for key, value in wanted.items())
        ]
        return {"pullRequestIds": found}

    def update_pull_request_status(self, params: dict[str, Any]) -> dict[str, Any]:
        """Close a pull request."""
        record = self._find_pull_request(params["pullRequestId"])
        if record["pullRequestStatus"] == "CLOSED" and params["pullRequestStatus"] == "OPEN":
            message = "The only valid update of a pull request status is from OPEN to CLOSED"
            raise AwsError("InvalidPullRequestStatusUpdateException", message)
        record["pullRequestStatus"] = params["pullRequestStatus"]
        return {"pullRequest": self._shape(record)}

    def update_pull_request_approval_state(self, params: dict[str, Any]) -> None:
        """Approve a revision, or revoke an approval of it; not as its author."""
        record = self._open(params["pullRequestId"])
        self._check_revision(record, params["revisionId"])
        caller = self.caller_arn()
        if caller == record["authorArn"]:
            message = "You cannot approve a pull request that you created"
            raise AwsError("PullRequestCannotBeApprovedByAuthorException", message)
        approvals = record["approvals"].setdefault(params["revisionId"], [])
        if caller in approvals:
            approvals.remove(caller)
        if params["approvalState"] == "APPROVE":
            approvals.append(caller)

    def get_pull_request_approval_states(self, params: dict[str, Any]) -> dict[str, Any]:
        """List who approved a revision."""
        record = self._find_pull_request(params["pullRequestId"])
        approved = record["approvals"].get(params["revisionId"], [])
        return {"approvals": [{"userArn": arn, "approvalState": "APPROVE"} for arn in approved]}

    def evaluate_pull_request_approval_rules(self, params: dict[str, Any]) -> dict[str, Any]:
        """Say which rules a revision satisfies."""
        record = self._find_pull_request(params["pullRequestId"])
        self._check_revision(record, params["revisionId"])
        missing = self._unsatisfied(record)
        names = [rule["approvalRuleName"] for rule in record["approvalRules"]]
        evaluation = {
            "approved": not missing,
            "overridden": False,
            "approvalRulesSatisfied": [name for name in names if name not in missing],
            "approvalRulesNotSatisfied": missing,
        }
        return {"evaluation": evaluation}

    def merge_pull_request_by_fast_forward(self, params: dict[str, Any]) -> dict[str, Any]:
        """Move the destination to the tip of the source, and close the pull request."""
        record = self._open(params["pullRequestId"])
        repository = self.find(params["repositoryName"])
        if repository.id != record["repository"]:
            message = f"{repository.name} is not associated with the pull request"
            raise AwsError("RepositoryNotAssociatedWithPullRequestException", message)
        source = _tip(repository, record["source"])
        if params.get("sourceCommitId", source) != source:
            message = "The tip of the source branch has changed"
            raise AwsError("TipOfSourceReferenceIsDifferentException", message)
        if missing := self._unsatisfied(record):
            message = f"The pull request's approval rules are not satisfied: {', '.join(missing)}"
            raise AwsError("PullRequestApprovalRulesNotSatisfiedException", message)
        before = _tip(repository, record["destination"])
        _check_fast_forward(repository, before, source)
        try:
            repository.git.update_ref(record["destination"], source, before)
        except RefMovedError as error:
            raise concurrent_reference_update(str(error)) from error
        record["pullRequestStatus"], record["lastActivityDate"] = "CLOSED", now()
        record["merged"] = {"sourceCommit": source, "destinationCommit": before, "by": self.caller_arn()}
        self.announce(repository)
        return {"pullRequest": self._shape(record)}

    def open_pull_requests(self, params: Mapping[str, Any]) -> int:
        """Return how many pull requests of the first target's repository are open; -1: none is created."""
        if self._earlier(params) is not None:
            return -1
        repository = self.find(params["targets"][0]["repositoryName"]).id
        records = self.pull_requests.values()
        return sum(
            each["repository"] == repository and each["pullRequestStatus"] == "OPEN" for each in records
        )

    def _earlier(self, params: Mapping[str, Any]) -> Record | None:
        """Return the pull request of an earlier call with the same token.

        https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreatePullRequest.html
        """
        token = params.get("clientRequestToken")
        for record in self.pull_requests.values():
            if token is not None and record["request"].get("clientRequestToken") == token:
                if record["request"] != params:
                    message = "The client request token was used for another request"
                    raise AwsError("IdempotencyParameterMismatchException", message)
                return record
        return None

    def _check_author(self, arn: str) -> None:
        user = arn.partition(":user/")[2].rpartition("/")[2]
        try:
            if user:
                self.context.client("iam").get_user(UserName=user)
        except ClientError as error:
            raise AwsError("AuthorDoesNotExistException", f"{arn} does not exist") from error

    def _find_pull_request(self, number: str) -> Record:
        if number not in self.pull_requests:
            raise AwsError("PullRequestDoesNotExistException", f"Pull request {number} does not exist")
        return self.pull_requests[number]

    def _open(self, number: str) -> Record:
        record = self._find_pull_request(number)
        if record["pullRequestStatus"] != "OPEN":
            raise AwsError("PullRequestAlreadyClosedException", f"Pull request {number} is closed")
        return record

    def _check_revision(self, record: Record, revision: str) -> None:
        if revision != self._revision(record):
            raise AwsError("RevisionNotCurrentException", "The revision ID is not the current one")

    def _revision(self, record: Record) -> str:
        """Return the id of the revision; a push to the source makes another one, without approvals."""
        rules = "".join(rule["ruleContentSha256"] for rule in record["approvalRules"])
        text = f"{record['pullRequestId']} {self._source(record)} {rules}"
        return hashlib.sha256(text.encode()).hexdigest()

    def _source(self, record: Record) -> str:
        if record["merged"]:
            return str(record["merged"]["sourceCommit"])
        return _tip(self.find_by_id(record["repository"]), record["source"])

    def _unsatisfied(self, record: Record) -> list[str]:
        approved = record["approvals"].get(self._revision(record), [])
        return [
            rule["approvalRuleName"] for rule in record["approvalRules"] if not is_satisfied(rule, approved)
        ]

    def _shape(self, record: Record) -> dict[str, Any]:
        """Return PullRequest."""
        merged = record["merged"]
        merge: dict[str, Any] = {"isMerged": bool(merged)}
        if merged:
            merge |= {"mergedBy": merged["by"], "mergeOption": "FAST_FORWARD_MERGE"}
        target = {
            "repositoryName": self.find_by_id(record["repository"]).name,
            "sourceReference": record["source"],
            "destinationReference": record["destination"],
            "sourceCommit": self._source(record),
            "destinationCommit": (merged or record)["destinationCommit"],
            "mergeMetadata": merge,
        }
        own = {"repository", "source", "destination", "destinationCommit", "merged", "approvals", "request"}
        shown = {key: value for key, value in record.items() if key not in own}
        return {**shown, "revisionId": self._revision(record), "pullRequestTargets": [target]}


def _full_name(reference: str) -> str:
    return reference if reference.startswith("refs/") else HEADS + reference


def _tip(repository: Repository, reference: str) -> str:
    if reference.startswith("refs/") and not reference.startswith(HEADS):
        message = f"{reference} is not a branch: pull requests have branches only"
        raise AwsError("ReferenceTypeNotSupportedException", message)
    tip = repository.git.refs().get(reference)
    if tip is None:
        raise AwsError("ReferenceDoesNotExistException", f"{reference} does not exist")
    return tip


def _check_fast_forward(repository: Repository, before: str, after: str) -> None:
    try:
        repository.git.git("merge-base", "--is-ancestor", before, after)
    except GitError as error:
        message = "The pull request cannot be merged by fast-forward: the destination has other commits"
        raise AwsError("ManualMergeRequiredException", message) from error
