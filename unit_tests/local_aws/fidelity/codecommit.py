"""Wrong calls of CodeCommit."""

import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import MISSING, Wrong
from unit_tests.local_aws.fidelity.suite import Suite

NOBODY = "0123456789abcdef0123456789abcdef01234567"
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
TOO_LARGE = b"x" * (6 * 1024 * 1024 + 1)


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
    account.tag(repository["repositoryId"], "release", first)
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
        "first": first,
        "tip": tip,
        "request": request["pullRequestId"],
        "revision": request["revisionId"],
        "closed": closed["pullRequestId"],
        "closed_revision": closed["revisionId"],
        "ruled": ruled["pullRequest"]["pullRequestId"],
    }


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
WRONG = (
    Wrong("repositoryName", MISSING, "RepositoryNameRequiredException"),
    Wrong("repositoryName", "bad name", "InvalidRepositoryNameException"),
    Wrong("repositoryName", "nope", "RepositoryDoesNotExistException"),
    Wrong("repositoryNames", [], "RepositoryNamesRequiredException"),
    Wrong("repositoryNames", ["bad name"], "InvalidRepositoryNameException"),
    Wrong("repositoryNames", ["repository"] * 101, "MaximumRepositoryNamesExceededException"),
    Wrong("oldName", MISSING, "RepositoryNameRequiredException"),
    Wrong("oldName", "nope", "RepositoryDoesNotExistException"),
    Wrong("newName", "bad name", "InvalidRepositoryNameException"),
    Wrong("newName", "other", "RepositoryNameExistsException"),
    Wrong("repositoryDescription", "x" * 1001, "InvalidRepositoryDescriptionException"),
    Wrong("branchName", MISSING, "BranchNameRequiredException"),
    Wrong("branchName", "bad..name", "InvalidBranchNameException"),
    Wrong("branchName", "nope", "BranchDoesNotExistException"),
    Wrong("branchName", "main", "BranchNameExistsException"),
    Wrong("branchName", "main", "DefaultBranchCannotBeDeletedException"),
    Wrong("branchName", "release", "BranchNameIsTagNameException"),
    Wrong("defaultBranchName", MISSING, "BranchNameRequiredException"),
    Wrong("defaultBranchName", "bad..name", "InvalidBranchNameException"),
    Wrong("defaultBranchName", "nope", "BranchDoesNotExistException"),
    Wrong("approvalRuleTemplateName", MISSING, "ApprovalRuleTemplateNameRequiredException"),
    Wrong("approvalRuleTemplateName", "x" * 101, "InvalidApprovalRuleTemplateNameException"),
    Wrong("approvalRuleTemplateName", "nope", "ApprovalRuleTemplateDoesNotExistException"),
    Wrong("approvalRuleTemplateName", "template", "ApprovalRuleTemplateNameAlreadyExistsException"),
    Wrong("approvalRuleTemplateName", "used", "ApprovalRuleTemplateInUseException"),
    Wrong("approvalRuleTemplateContent", MISSING, "ApprovalRuleTemplateContentRequiredException"),
    Wrong("approvalRuleTemplateContent", "zz", "InvalidApprovalRuleTemplateContentException"),
    Wrong("approvalRuleTemplateDescription", "x" * 1001, "InvalidApprovalRuleTemplateDescriptionException"),
    Wrong("newRuleContent", MISSING, "ApprovalRuleTemplateContentRequiredException"),
    Wrong("newRuleContent", "zz", "InvalidApprovalRuleTemplateContentException"),
    Wrong("existingRuleContentSha256", "zz", "InvalidRuleContentSha256Exception"),
    Wrong("commitId", MISSING, "CommitIdRequiredException"),
    Wrong("commitId", "nope", "InvalidCommitIdException"),
    Wrong("commitId", NOBODY, "CommitDoesNotExistException"),
    Wrong("commitId", NOBODY, "CommitIdDoesNotExistException"),
    Wrong("afterCommitSpecifier", MISSING, "CommitRequiredException"),
    Wrong("afterCommitSpecifier", "", "InvalidCommitException"),
    Wrong("afterCommitSpecifier", NOBODY, "CommitDoesNotExistException"),
    Wrong("afterPath", "../a", "InvalidPathException"),
    Wrong("afterPath", "nope", "PathDoesNotExistException"),
    Wrong("commitSpecifier", NOBODY, "CommitDoesNotExistException"),
    Wrong("commitSpecifier", "", "InvalidCommitException"),
    Wrong("filePath", MISSING, "PathRequiredException"),
    Wrong("filePath", "../a", "InvalidPathException"),
    Wrong("filePath", "nope.txt", "FileDoesNotExistException"),
    Wrong("folderPath", MISSING, "PathRequiredException"),
    Wrong("folderPath", "../a", "InvalidPathException"),
    Wrong("folderPath", "nope", "FolderDoesNotExistException"),
    Wrong("blobId", MISSING, "BlobIdRequiredException"),
    Wrong("blobId", "nope", "InvalidBlobIdException"),
    Wrong("blobId", NOBODY, "BlobIdDoesNotExistException"),
    Wrong("parentCommitId", MISSING, "ParentCommitIdRequiredException"),
    Wrong("parentCommitId", "nope", "InvalidParentCommitIdException"),
    Wrong("parentCommitId", NOBODY, "ParentCommitDoesNotExistException"),
    Wrong("parentCommitId", "$first", "ParentCommitIdOutdatedException"),
    Wrong("email", "a<b>@c", "InvalidEmailException"),
    Wrong("commitMessage", "x" * (256 * 1024 + 1), "CommitMessageLengthExceededException"),
    Wrong("fileContent", MISSING, "FileContentRequiredException"),
    Wrong("fileContent", TOO_LARGE, "FileContentSizeLimitExceededException"),
    Wrong("fileContent", b"2", "SameFileContentException"),
    Wrong("fileMode", "EXEC", "InvalidFileModeException"),
    Wrong("filePath", "folder", "FileNameConflictsWithDirectoryNameException"),
    Wrong("filePath", "a.txt/b", "DirectoryNameConflictsWithFileNameException"),
    Wrong("pullRequestId", MISSING, "PullRequestIdRequiredException"),
    Wrong("pullRequestId", "one", "InvalidPullRequestIdException"),
    Wrong("pullRequestId", "999", "PullRequestDoesNotExistException"),
    Wrong("revisionId", MISSING, "RevisionIdRequiredException"),
    Wrong("revisionId", "", "InvalidRevisionIdException"),
    Wrong("revisionId", NOBODY, "RevisionNotCurrentException"),
    Wrong("approvalState", MISSING, "ApprovalStateRequiredException"),
    Wrong("approvalState", "MAYBE", "InvalidApprovalStateException"),
    Wrong("pullRequestStatus", MISSING, "PullRequestStatusRequiredException"),
    Wrong("pullRequestStatus", "HALF", "InvalidPullRequestStatusException"),
    Wrong("sourceCommitId", "nope", "InvalidCommitIdException"),
    Wrong("sourceCommitId", "$first", "TipOfSourceReferenceIsDifferentException"),
    Wrong("authorArn", "zz", "InvalidAuthorArnException"),
    Wrong("authorArn", "arn:aws:iam::123456789012:user/nobody", "AuthorDoesNotExistException"),
    Wrong("sortBy", "size", "InvalidSortByException"),
    Wrong("order", "up", "InvalidOrderException"),
    Wrong("nextToken", "zz", "InvalidContinuationTokenException"),
    Wrong("NextToken", "zz", "InvalidContinuationTokenException"),
    Wrong("maxResults", 0, "InvalidMaxResultsException"),
    Wrong("MaxResults", 0, "InvalidMaxResultsException"),
    Wrong("resourceArn", MISSING, "ResourceArnRequiredException"),
    Wrong("resourceArn", "zz", "InvalidResourceArnException"),
    Wrong("resourceArn", f"{ARN}x", "RepositoryDoesNotExistException"),
    Wrong("resourceArn", f"{ARN}.git", "InvalidRepositoryNameException"),
    Wrong("tags", MISSING, "TagsMapRequiredException"),
    Wrong("tags", {"k": "x" * 257}, "InvalidTagsMapException"),
    Wrong("tags", {f"k{n}": "v" for n in range(51)}, "TooManyTagsException"),
    Wrong("tags", {"aws:k": "v"}, "InvalidSystemTagUsageException"),
    Wrong("tagKeys", MISSING, "TagKeysListRequiredException"),
    Wrong("tagKeys", ["x" * 129], "InvalidTagKeysListException"),
    Wrong("tagKeys", [f"k{n}" for n in range(51)], "TooManyTagsException"),
    Wrong("tagKeys", ["aws:k"], "InvalidSystemTagUsageException"),
    Wrong("title", MISSING, "TitleRequiredException"),
    Wrong("title", "x" * 151, "InvalidTitleException"),
    Wrong("description", "x" * 10_241, "InvalidDescriptionException"),
    Wrong("targets", MISSING, "TargetsRequiredException"),
    Wrong("kmsKeyId", "not a key", "EncryptionKeyInvalidIdException"),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("CreateRepository", REPOSITORY, "RepositoryNameExistsException"),
    ("CreateCommit", {"putFiles": MISSING}, "FileEntryRequiredException"),
    (
        "CreateCommit",
        {"putFiles": [{**NEW, "filePath": f"f{n}"} for n in range(101)]},
        "MaximumFileEntriesExceededException",
    ),
    ("CreateCommit", {"putFiles": [NEW, NEW]}, "SamePathRequestException"),
    ("CreateCommit", {"putFiles": [{"filePath": "new.txt"}]}, "SourceFileOrContentRequiredException"),
    (
        "CreateCommit",
        {"putFiles": [{**NEW, "sourceFile": {"filePath": "a.txt"}}]},
        "FileContentAndSourceFileSpecifiedException",
    ),
    ("CreateCommit", {"putFiles": [{"fileContent": b"x"}]}, "PathRequiredException"),
    ("CreateCommit", {"putFiles": [{**NEW, "filePath": "../a"}]}, "InvalidPathException"),
    ("CreateCommit", {"putFiles": [{**NEW, "fileMode": "EXEC"}]}, "InvalidFileModeException"),
    (
        "CreateCommit",
        {"putFiles": [{**NEW, "fileContent": TOO_LARGE}]},
        "FileContentSizeLimitExceededException",
    ),
    (
        "CreateCommit",
        {"putFiles": [{**NEW, "filePath": "folder"}]},
        "FileNameConflictsWithDirectoryNameException",
    ),
    (
        "CreateCommit",
        {"putFiles": [{**NEW, "filePath": "a.txt/b"}]},
        "DirectoryNameConflictsWithFileNameException",
    ),
    ("CreateCommit", {"putFiles": [{"filePath": "a.txt", "fileContent": b"2"}]}, "NoChangeException"),
    ("CreateCommit", {"deleteFiles": [{"filePath": "nope.txt"}]}, "FileDoesNotExistException"),
    (
        "CreateCommit",
        {"putFiles": [{"filePath": "new.txt", "sourceFile": {"filePath": "folder/.gitkeep"}}]},
        "RestrictedSourceFileException",
    ),
    ("CreateCommit", {"setFileModes": [{"filePath": "a.txt"}]}, "FileModeRequiredException"),
    (
        "CreateCommit",
        {"putFiles": [{**NEW, "filePath": "a.txt"}], "deleteFiles": [{"filePath": "a.txt"}]},
        "SamePathRequestException",
    ),
    ("CreatePullRequest", {"targets": [{"sourceReference": "feature"}]}, "RepositoryNameRequiredException"),
    (
        "CreatePullRequest",
        {"targets": [{**TARGET, "repositoryName": "bad name"}]},
        "InvalidRepositoryNameException",
    ),
    (
        "CreatePullRequest",
        {"targets": [{**TARGET, "repositoryName": "nope"}]},
        "RepositoryDoesNotExistException",
    ),
    ("CreatePullRequest", {"targets": [REPOSITORY]}, "ReferenceNameRequiredException"),
    (
        "CreatePullRequest",
        {"targets": [{**TARGET, "sourceReference": "bad name"}]},
        "InvalidReferenceNameException",
    ),
    (
        "CreatePullRequest",
        {"targets": [{**TARGET, "sourceReference": "nope"}]},
        "ReferenceDoesNotExistException",
    ),
    (
        "CreatePullRequest",
        {"targets": [{**TARGET, "sourceReference": "main"}]},
        "SourceAndDestinationAreSameException",
    ),
    (
        "CreatePullRequest",
        {"targets": [TARGET, {**TARGET, "repositoryName": "other"}]},
        "MultipleRepositoriesInPullRequestException",
    ),
    ("CreatePullRequest", {"clientRequestToken": "token"}, "IdempotencyParameterMismatchException"),
    (
        "MergePullRequestByFastForward",
        {"repositoryName": "other"},
        "RepositoryNotAssociatedWithPullRequestException",
    ),
    ("MergePullRequestByFastForward", {"pullRequestId": "$closed"}, "PullRequestAlreadyClosedException"),
    ("MergePullRequestByFastForward", {}, "ManualMergeRequiredException"),
    (
        "MergePullRequestByFastForward",
        {"pullRequestId": "$ruled"},
        "PullRequestApprovalRulesNotSatisfiedException",
    ),
    (
        "UpdatePullRequestApprovalState",
        {"pullRequestId": "$closed", "revisionId": "$closed_revision"},
        "PullRequestAlreadyClosedException",
    ),
    ("UpdatePullRequestApprovalState", {}, "PullRequestCannotBeApprovedByAuthorException"),
    (
        "UpdatePullRequestStatus",
        {"pullRequestId": "$closed", "pullRequestStatus": "OPEN"},
        "InvalidPullRequestStatusUpdateException",
    ),
)
SUITE = Suite("codecommit", tuple(VALID), VALID, WRONG, CHANGES, prepare)
