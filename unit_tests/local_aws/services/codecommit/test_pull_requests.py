"""Pull requests, and the approval rules that their merge must satisfy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import CALLER, AwsError
from local_aws.core.context import Context
from local_aws.services.codecommit.approval_rules import is_satisfied
from local_aws.services.codecommit.service import CodeCommit

AUTHOR, COLLEAGUE = (f"arn:aws:sts::123456789012:assumed-role/developers/{name}" for name in ("me", "you"))
RULE = {"approvalRuleTemplateName": "approvals-dev"}
IN_REPOSITORY = {"repositoryName": "repository-dev"}


def content(needed: int = 1, pool: list[str] | None = None, **further: Any) -> str:
    approvers = {"Type": "Approvers", "NumberOfApprovalsNeeded": needed}
    statement = approvers | ({"ApprovalPoolMembers": pool} if pool else {})
    return json.dumps({"Version": "2018-11-08", "Statements": [statement], **further})


@pytest.fixture
def service(context: Context) -> Iterator[CodeCommit]:
    """A repository with branches main and topic; the access key of a caller is its ARN."""
    codecommit = CodeCommit(replace(context, identity=lambda key: key))
    codecommit.call("CreateRepository", IN_REPOSITORY)
    codecommit.call("PutFile", {**IN_REPOSITORY, "branchName": "main", "filePath": "a", "fileContent": b"1"})
    first = codecommit.call("GetBranch", {**IN_REPOSITORY, "branchName": "main"})["branch"]["commitId"]
    codecommit.call("CreateBranch", {**IN_REPOSITORY, "branchName": "topic", "commitId": first})
    change(codecommit, "topic", b"2")
    token = CALLER.set(AUTHOR)
    yield codecommit
    CALLER.reset(token)


def change(codecommit: CodeCommit, branch: str, text: bytes) -> None:
    where = {**IN_REPOSITORY, "branchName": branch}
    parent = codecommit.call("GetBranch", where)["branch"]["commitId"]
    codecommit.call("PutFile", {**where, "filePath": "a", "fileContent": text, "parentCommitId": parent})


def template(codecommit: CodeCommit, **further: Any) -> None:
    codecommit.call("CreateApprovalRuleTemplate", {**RULE, "approvalRuleTemplateContent": content(**further)})
    codecommit.call("AssociateApprovalRuleTemplateWithRepository", {**RULE, **IN_REPOSITORY})


def opened(codecommit: CodeCommit) -> dict[str, Any]:
    target = {**IN_REPOSITORY, "sourceReference": "topic", "destinationReference": "main"}
    found: dict[str, Any] = codecommit.call("CreatePullRequest", {"title": "t", "targets": [target]})
    return dict(found["pullRequest"])


def merge(codecommit: CodeCommit, request: dict[str, Any]) -> dict[str, Any]:
    number = {"pullRequestId": request["pullRequestId"]}
    answer = codecommit.call("MergePullRequestByFastForward", {**number, **IN_REPOSITORY})
    return dict(answer["pullRequest"])


def approve(codecommit: CodeCommit, request: dict[str, Any], caller: str, state: str = "APPROVE") -> None:
    token = CALLER.set(caller)
    revision = {key: request[key] for key in ("pullRequestId", "revisionId")}
    try:
        codecommit.call("UpdatePullRequestApprovalState", {**revision, "approvalState": state})
    finally:
        CALLER.reset(token)


def test_a_request_without_a_rule_is_merged_by_fast_forward_and_closed(service: CodeCommit) -> None:
    request = opened(service)
    assert request["authorArn"] == AUTHOR
    merged = merge(service, request)
    assert merged["pullRequestStatus"] == "CLOSED"
    tips = {
        service.call("GetBranch", {**IN_REPOSITORY, "branchName": branch})["branch"]["commitId"]
        for branch in ("main", "topic")
    }
    assert len(tips) == 1
    with pytest.raises(AwsError, match="PullRequestAlreadyClosedException"):
        merge(service, request)


def test_a_request_needs_the_approvals_of_its_rule_and_a_revoked_one_counts_no_more(
    service: CodeCommit,
) -> None:
    template(service, needed=1, DestinationReferences=["refs/heads/main"])
    request = opened(service)
    with pytest.raises(AwsError, match="PullRequestApprovalRulesNotSatisfiedException"):
        merge(service, request)
    with pytest.raises(AwsError, match="PullRequestCannotBeApprovedByAuthorException"):
        approve(service, request, AUTHOR)
    approve(service, request, COLLEAGUE)
    approve(service, request, COLLEAGUE, "REVOKE")
    with pytest.raises(AwsError, match="PullRequestApprovalRulesNotSatisfiedException"):
        merge(service, request)
    approve(service, request, COLLEAGUE)
    revision = {key: request[key] for key in ("pullRequestId", "revisionId")}
    assert service.call("EvaluatePullRequestApprovalRules", revision)["evaluation"]["approved"]
    assert merge(service, request)["pullRequestTargets"][0]["mergeMetadata"]["isMerged"]


def test_a_push_makes_another_revision_without_approvals(service: CodeCommit) -> None:
    template(service)
    request = opened(service)
    approve(service, request, COLLEAGUE)
    change(service, "topic", b"3")
    with pytest.raises(AwsError, match="PullRequestApprovalRulesNotSatisfiedException"):
        merge(service, request)
    with pytest.raises(AwsError, match="RevisionNotCurrentException"):
        approve(service, request, COLLEAGUE)


def test_a_rule_for_another_branch_does_not_apply(service: CodeCommit) -> None:
    template(service, DestinationReferences=["refs/heads/other"])
    assert opened(service)["approvalRules"] == []


def test_a_destination_with_other_commits_is_not_merged(service: CodeCommit) -> None:
    request = opened(service)
    change(service, "main", b"3")
    with pytest.raises(AwsError, match="ManualMergeRequiredException"):
        merge(service, request)


@pytest.mark.parametrize(
    ("pool", "approver", "counts"),
    [
        (None, COLLEAGUE, True),
        (["arn:aws:sts::123456789012:assumed-role/developers/*"], COLLEAGUE, True),
        (["arn:aws:sts::123456789012:assumed-role/leads/*"], COLLEAGUE, False),
        (["CodeCommitApprovers:123456789012:developers/*"], COLLEAGUE, True),
        (["CodeCommitApprovers:123456789012:you"], COLLEAGUE, False),
        (["CodeCommitApprovers:123456789012:you"], "arn:aws:iam::123456789012:user/you", True),
    ],
)
def test_only_members_of_the_pool_count(pool: list[str] | None, approver: str, counts: bool) -> None:
    """https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateApprovalRuleTemplate.html"""
    assert is_satisfied({"approvalRuleContent": content(pool=pool)}, [approver]) is counts


def test_a_template_in_use_is_not_deleted_and_an_unknown_one_is_no_error(service: CodeCommit) -> None:
    template(service)
    with pytest.raises(AwsError, match="ApprovalRuleTemplateInUseException"):
        service.call("DeleteApprovalRuleTemplate", RULE)
    service.call("DisassociateApprovalRuleTemplateFromRepository", {**RULE, **IN_REPOSITORY})
    service.call("DeleteApprovalRuleTemplate", RULE)
    service.call("DeleteApprovalRuleTemplate", RULE)
    assert service.call("ListApprovalRuleTemplates", {})["approvalRuleTemplateNames"] == []


@pytest.mark.parametrize("bad", ["{", "[]", "{}", content(needed=0), content(Version="2000-01-01")])
def test_a_content_that_is_no_rule_is_refused(service: CodeCommit, bad: str) -> None:
    with pytest.raises(AwsError, match="InvalidApprovalRuleTemplateContentException"):
        service.call("CreateApprovalRuleTemplate", {**RULE, "approvalRuleTemplateContent": bad})


def test_rules_and_requests_survive_a_restart(service: CodeCommit, tmp_path: Path) -> None:
    template(service)
    request = opened(service)
    approve(service, request, COLLEAGUE)
    again = CodeCommit(service.context)
    again.restore(service.to_snapshot())
    assert again.call("ListApprovalRuleTemplates", {})["approvalRuleTemplateNames"] == ["approvals-dev"]
    assert merge(again, request)["pullRequestStatus"] == "CLOSED"
