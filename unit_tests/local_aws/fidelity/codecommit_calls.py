"""Valid calls of CodeCommit, and the repository that they are about."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account, policy

NOBODY = "0123456789abcdef0123456789abcdef01234567"
ROOT = "arn:aws:iam::123456789012:root"
ARN = "arn:aws:codecommit:us-east-1:123456789012:repository"
RULES = json.dumps(
    {"Version": "2018-11-08", "Statements": [{"Type": "Approvers", "NumberOfApprovalsNeeded": 1}]}
)
REPOSITORY = {"repositoryName": "repository"}
TEMPLATE = {"approvalRuleTemplateName": "template"}
BRANCH = {**REPOSITORY, "branchName": "main"}
REQUEST = {"pullRequestId": "$request"}
REVISION = {**REQUEST, "revisionId": "$revision"}
TARGET = {**REPOSITORY, "sourceReference": "feature", "destinationReference": "main"}
FILE = {**BRANCH, "filePath": "a.txt", "parentCommitId": "$tip"}
NEW = {"filePath": "new.txt", "fileContent": b"new"}
# Repository -> what is done with its key. The waiting period of `gone` is over before `deleted` is scheduled.
SEALED: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "gone": ("schedule_key_deletion", {"PendingWindowInDays": 7}),
    "disabled": ("disable_key", {}),
    "deleted": ("schedule_key_deletion", {}),
    "denied": (
        "put_key_policy",
        {
            "Policy": policy(
                {"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": "kms:*", "Resource": "*"},
                {"Effect": "Deny", "Principal": {"AWS": ROOT}, "Action": "kms:Decrypt", "Resource": "*"},
            )
        },
    ),
}
TOO_LARGE = b"x" * (6 * 1024 * 1024 + 1)


LARGE_BLOB = hashlib.sha1(b"blob %d\0" % len(TOO_LARGE) + TOO_LARGE, usedforsecurity=False).hexdigest()
# A commit with a file that no API call may carry, and a submodule.
PUSHED = b"""commit refs/heads/main
committer a <a@example.com> 0 +0000
data 0
M 160000 %s module
M 100644 inline large.bin
data %d
%s
""" % (NOBODY.encode(), len(TOO_LARGE), TOO_LARGE)


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a repository with two branches, open, closed and foreign pull requests, and templates."""
    client = account.client("codecommit")
    client.create_repository(repositoryName="other")
    repository = client.create_repository(repositoryName="repository")["repositoryMetadata"]
    files = [
        {"filePath": "a.txt", "fileContent": b"a"},
        {"filePath": "folder/b.txt", "fileContent": b"b"},
        {"filePath": "large.bin", "fileContent": b"l" * 1024},
    ]
    first = client.create_commit(**BRANCH, putFiles=files)["commitId"]
    client.create_commit(repositoryName="other", branchName="main", putFiles=files)
    account.git(repository["repositoryId"], "update-ref", "refs/tags/release", first)
    client.create_branch(**REPOSITORY, branchName="feature", commitId=first)
    client.create_commit(**REPOSITORY, branchName="feature", parentCommitId=first, putFiles=[NEW])
    tip = client.create_commit(
        **BRANCH, parentCommitId=first, putFiles=[{"filePath": "a.txt", "fileContent": b"2"}]
    )["commitId"]
    client.create_branch(**REPOSITORY, branchName="ahead", commitId=tip)
    client.create_commit(**REPOSITORY, branchName="ahead", parentCommitId=tip, putFiles=[NEW])
    for name in ("template", "used"):
        client.create_approval_rule_template(approvalRuleTemplateName=name, approvalRuleTemplateContent=RULES)
    request = client.create_pull_request(title="t", targets=[TARGET])["pullRequest"]
    closed = client.create_pull_request(
        title="t", targets=[{**TARGET, "sourceReference": "ahead"}], clientRequestToken="token"
    )["pullRequest"]
    client.update_pull_request_status(pullRequestId=closed["pullRequestId"], pullRequestStatus="CLOSED")
    client.associate_approval_rule_template_with_repository(**REPOSITORY, approvalRuleTemplateName="used")
    ruled = client.create_pull_request(title="t", targets=[{**TARGET, "sourceReference": "ahead"}])
    return {
        **_sealed(account),
        "first": first,
        "tip": tip,
        "request": request["pullRequestId"],
        "revision": request["revisionId"],
        "closed": closed["pullRequestId"],
        "closed_revision": closed["revisionId"],
        "gone": _without_source(client, first),
        "ruled": ruled["pullRequest"]["pullRequestId"],
    }


def _push(account: Account) -> str:
    """Return a commit in the repository `pushed` that no API call can make."""
    client, name = account.client("codecommit"), {"repositoryName": "pushed"}
    made = client.create_repository(**name)["repositoryMetadata"]
    account.git(made["repositoryId"], "fast-import", "--quiet", stdin=PUSHED)
    return str(client.get_branch(**name, branchName="main")["branch"]["commitId"])


def _associate_many(client: Any) -> None:
    """Give the repository `other` as many templates as it can have."""
    for number in range(25):
        many = {"approvalRuleTemplateName": f"many{number}"}
        client.create_approval_rule_template(**many, approvalRuleTemplateContent=RULES)
        client.associate_approval_rule_template_with_repository(**many, repositoryName="other")


def _without_source(client: Any, commit: str) -> str:
    """Return a pull request whose source branch is deleted."""
    client.create_branch(**REPOSITORY, branchName="gone", commitId=commit)
    gone = client.create_pull_request(title="t", targets=[{**TARGET, "sourceReference": "gone"}])
    client.delete_branch(**REPOSITORY, branchName="gone")
    return str(gone["pullRequest"]["pullRequestId"])


def _sealed(account: Account) -> Mapping[str, Any]:
    """Create repositories whose keys then cannot be used, each with a pull request, and `pushed`."""
    client, kms = account.client("codecommit"), account.client("kms")
    _associate_many(client)
    signing = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["Arn"]
    values = {"signing": signing, "pushed": _push(account)}
    for name, (end, more) in SEALED.items():
        key = kms.create_key()["KeyMetadata"]["Arn"]
        client.create_repository(repositoryName=name, kmsKeyId=key)
        branch = {"repositoryName": name, "branchName": "main"}
        first = client.create_commit(**branch, putFiles=[NEW])["commitId"]
        client.create_branch(repositoryName=name, branchName="feature", commitId=first)
        target = {**TARGET, "repositoryName": name}
        request = client.create_pull_request(title="t", targets=[target])["pullRequest"]
        getattr(kms, end)(KeyId=key, **more)
        if name == "gone":
            account.server.skip_days(7)
        values |= {f"{name}_key": key, f"{name}_request": request["pullRequestId"]}
    return values


VALID: Mapping[str, Mapping[str, Any]] = {
    "AssociateApprovalRuleTemplateWithRepository": {**TEMPLATE, **REPOSITORY},
    "BatchGetRepositories": {"repositoryNames": ["repository"]},
    "CreateApprovalRuleTemplate": {"approvalRuleTemplateName": "new", "approvalRuleTemplateContent": RULES},
    "CreateBranch": {**REPOSITORY, "branchName": "new", "commitId": "$first"},
    "CreateCommit": {**BRANCH, "parentCommitId": "$tip", "putFiles": [NEW]},
    "CreatePullRequest": {"title": "t", "targets": [TARGET]},
    "CreateRepository": {"repositoryName": "new"},
    "DeleteApprovalRuleTemplate": TEMPLATE,
    "DeleteBranch": BRANCH,
    "DeleteFile": FILE,
    "DeleteRepository": REPOSITORY,
    "DisassociateApprovalRuleTemplateFromRepository": {**TEMPLATE, **REPOSITORY},
    "EvaluatePullRequestApprovalRules": REVISION,
    "GetApprovalRuleTemplate": TEMPLATE,
    "GetBlob": {**REPOSITORY, "blobId": NOBODY},
    "GetBranch": BRANCH,
    "GetCommit": {**REPOSITORY, "commitId": "$tip"},
    "GetDifferences": {**REPOSITORY, "afterCommitSpecifier": "main"},
    "GetFile": {**REPOSITORY, "filePath": "a.txt"},
    "GetFolder": {**REPOSITORY, "folderPath": "folder"},
    "GetPullRequest": REQUEST,
    "GetPullRequestApprovalStates": REVISION,
    "GetRepository": REPOSITORY,
    "ListApprovalRuleTemplates": {},
    "ListAssociatedApprovalRuleTemplatesForRepository": REPOSITORY,
    "ListBranches": REPOSITORY,
    "ListPullRequests": REPOSITORY,
    "ListRepositories": {},
    "ListTagsForResource": {"resourceArn": ARN},
    "MergePullRequestByFastForward": {**REQUEST, **REPOSITORY},
    "PutFile": {**FILE, "fileContent": b"changed"},
    "TagResource": {"resourceArn": ARN, "tags": {"k": "v"}},
    "UntagResource": {"resourceArn": ARN, "tagKeys": ["k"]},
    "UpdateApprovalRuleTemplateContent": {**TEMPLATE, "newRuleContent": RULES},
    "UpdateDefaultBranch": {**REPOSITORY, "defaultBranchName": "main"},
    "UpdatePullRequestApprovalState": {**REVISION, "approvalState": "APPROVE"},
    "UpdatePullRequestStatus": {**REQUEST, "pullRequestStatus": "CLOSED"},
    "UpdateRepositoryDescription": REPOSITORY,
    "UpdateRepositoryName": {"oldName": "repository", "newName": "renamed"},
}
