"""Protect main, and the approvals of promotions, as the settings of the deployed environment say.

An approval rule template says how many people approve a pull request to main. A policy, for the roles of the
developers, denies every other way to change main, and what only the target's approvers may do.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.dropped_settings import deployed_settings
from operations.errors import OperationsError
from operations.names import Names, approval_rule, developer_policy
from operations.root_stack import root_stack, template_resources

MAIN = "refs/heads/main"
Log = Callable[[str], None]
Statement = dict[str, Any]
# Every action with codecommit:References that changes a branch, except the merge of an approved pull request.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodecommit.html
CHANGES_OF_A_BRANCH = (
    *("CreateBranch", "CreateCommit", "DeleteBranch", "DeleteFile", "GitPush", "PutFile"),
    *(f"MergeBranchesBy{strategy}" for strategy in ("FastForward", "Squash", "ThreeWay")),
)
# Template operations have no resource; the others change what the rule applies to.
CHANGES_OF_A_TEMPLATE = (
    "DeleteApprovalRuleTemplate",
    "UpdateApprovalRuleTemplateContent",
    "UpdateApprovalRuleTemplateName",
)
WAYS_ROUND_A_RULE = (
    "BatchDisassociateApprovalRuleTemplateFromRepositories",
    "DeleteRepository",
    "DisassociateApprovalRuleTemplateFromRepository",
    "OverridePullRequestApprovalRules",
    "UpdateDefaultBranch",
    "UpdateRepositoryName",
)


@dataclass(frozen=True)
class Protection:
    """What the environment `suffix` asks for: approvals of its pull requests, and approvers of promotions."""

    suffix: str
    account: Account

    @cached_property
    def settings(self) -> Mapping[str, str]:
        """The settings of the deployed environment. Raises OperationsError without one."""
        if root_stack(self.suffix, self.account) is None:
            raise OperationsError(f"stack-{self.suffix} does not exist: deploy {self.suffix} first")
        return deployed_settings(template_resources(self.names.stack, self.account))

    @property
    def names(self) -> Names:
        """The names of its resources."""
        return Names(self.suffix)

    @property
    def rule_name(self) -> str:
        """The name of the approval rule template."""
        return approval_rule(self.suffix)

    @property
    def policy_name(self) -> str:
        """The name of the policy for developers."""
        return developer_policy(self.suffix)

    @property
    def approvals(self) -> int:
        """How many people approve a pull request to main; 0 protects nothing."""
        return int(self.settings.get("requiredApprovals", 0))

    @property
    def targets(self) -> list[str]:
        """The suffixes of the environments that it promotes to."""
        return [one.partition("@")[0] for one in self.settings.get("promoteTo", "").split(",") if one]

    def rule(self) -> dict[str, Any]:
        """Return the content of the approval rule template.

        https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateApprovalRuleTemplate.html
        """
        approvers = {"Type": "Approvers", "NumberOfApprovalsNeeded": self.approvals}
        return {"Version": "2018-11-08", "DestinationReferences": [MAIN], "Statements": [approvers]}

    def policy(self) -> dict[str, Any]:
        """Return the policy for the roles of developers: it only denies."""
        statements = [*self._deny_other_changes_of_main(), *self._deny_approvals()]
        return {"Version": "2012-10-17", "Statement": statements}

    def _deny_other_changes_of_main(self) -> Iterator[Statement]:
        if not self.approvals:
            return
        repository = self._arn("codecommit", self.names.repository)
        # git's first request of a push names no reference: without Null, nobody could push any branch.
        # https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-conditional-branch.html
        condition = {
            "StringEqualsIfExists": {"codecommit:References": [MAIN]},
            "Null": {"codecommit:References": "false"},
        }
        changes = _deny("DenyOtherChangesOfMain", "codecommit", CHANGES_OF_A_BRANCH, [repository])
        yield {**changes, "Condition": condition}
        yield _deny("DenyWaysRoundTheRule", "codecommit", WAYS_ROUND_A_RULE, [repository])
        yield _deny("DenyChangingTheRule", "codecommit", CHANGES_OF_A_TEMPLATE, ["*"])

    def _deny_approvals(self) -> Iterator[Statement]:
        if not self.targets:
            return
        pipeline = self._arn("codepipeline", self.names.pipeline)
        yield _deny("DenyApprovals", "codepipeline", ("PutApprovalResult",), [f"{pipeline}/*"])
        yield _deny(
            "DenyChangingThePipeline", "codepipeline", ("DeletePipeline", "UpdatePipeline"), [pipeline]
        )
        roles = [self.names.approval_role(target) for target in self.targets]
        arns = [f"arn:aws:iam::{self.account.id}:role/{role}" for role in roles]
        yield _deny("DenyTheRolesThatApprove", "sts", ("AssumeRole",), arns)

    def _arn(self, service: str, name: str) -> str:
        return f"arn:aws:{service}:{self.account.region}:{self.account.id}:{name}"


def protect(
    protection: Protection, log: Log, *, role: str | None = None, dry_run: bool = False
) -> dict[str, Any]:
    """Create or update the approval rule; return the policy, once it is attached to `role` if one is given.

    With 0 approvals, a rule of an earlier run is deleted. Raises OperationsError if nothing needs protection.
    """
    if protection.approvals:
        _put_rule(protection, log, dry_run=dry_run)
    else:
        _delete_rule(protection, log, dry_run=dry_run)
    if not (protection.approvals or protection.targets):
        raise OperationsError(
            f"nothing protects {protection.suffix}: its requiredApprovals is 0, and it promotes to no "
            "environment. Set requiredApprovals in cdk.json and deploy it first"
        )
    if role and dry_run:
        log(f"{role}: would attach {protection.policy_name}")
    elif role:
        _attach_policy(protection, role, log)
    return protection.policy()


def _put_rule(protection: Protection, log: Log, *, dry_run: bool) -> None:
    codecommit, names = protection.account.client("codecommit"), protection.names
    name, content, count = protection.rule_name, json.dumps(protection.rule()), protection.approvals
    approvals = f"{count} approval{'s' * (count > 1)} ({name})"
    if dry_run:
        log(f"{names.repository}: main would take pull requests with {approvals}")
        return
    try:
        codecommit.create_approval_rule_template(
            approvalRuleTemplateName=name,
            approvalRuleTemplateContent=content,
            approvalRuleTemplateDescription=f"Approvals before main of {names.repository} takes a change",
        )
    except ClientError as error:
        if code_of(error) != "ApprovalRuleTemplateNameAlreadyExistsException":
            raise
        codecommit.update_approval_rule_template_content(
            approvalRuleTemplateName=name, newRuleContent=content
        )
    codecommit.associate_approval_rule_template_with_repository(
        approvalRuleTemplateName=name, repositoryName=names.repository
    )
    log(f"{names.repository}: main takes pull requests with {approvals}")


def _delete_rule(protection: Protection, log: Log, *, dry_run: bool) -> None:
    codecommit, names = protection.account.client("codecommit"), protection.names
    if protection.rule_name not in protection.account.pages(
        "codecommit", "list_approval_rule_templates", "approvalRuleTemplateNames"
    ):
        return
    if dry_run:
        log(f"{names.repository}: would delete {protection.rule_name}, as requiredApprovals is 0")
        return
    codecommit.disassociate_approval_rule_template_from_repository(
        approvalRuleTemplateName=protection.rule_name, repositoryName=names.repository
    )
    codecommit.delete_approval_rule_template(approvalRuleTemplateName=protection.rule_name)
    log(f"{names.repository}: deleted {protection.rule_name}, as requiredApprovals is 0")


def _attach_policy(protection: Protection, role: str, log: Log) -> None:
    """Create the policy or replace its only version, and attach it."""
    iam, name = protection.account.client("iam"), protection.policy_name
    arn, document = f"arn:aws:iam::{protection.account.id}:policy/{name}", json.dumps(protection.policy())
    try:
        iam.create_policy(PolicyName=name, PolicyDocument=document)
    except ClientError as error:
        if code_of(error) != "EntityAlreadyExists":
            raise
        former = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)
        # A policy has at most five versions.
        iam.delete_policy_version(PolicyArn=arn, VersionId=former)
    iam.attach_role_policy(RoleName=role, PolicyArn=arn)
    log(f"{role}: attached {name}")


def _deny(sid: str, service: str, operations: tuple[str, ...], resources: list[str]) -> Statement:
    actions = [f"{service}:{operation}" for operation in operations]
    return {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources}
