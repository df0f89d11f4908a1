"""What `operations protect` makes, by the settings of the deployed environment."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations import __main__ as command
from operations.dropped_settings import SETTINGS_GUARD
from operations.errors import OperationsError
from operations.protection import CHANGES_OF_A_BRANCH, Protection, protect
from unit_tests.operations.account_fakes import FakeAccount, refusing

ARN = "arn:aws:iam::123456789012:policy/developer-policy-dev"


def protection(answers: dict[tuple[str, str], Any] | None = None, **settings: str) -> Protection:
    guard = {"Type": SETTINGS_GUARD, "Properties": {"Settings": settings}}
    account = FakeAccount(
        {
            ("sts", "get_caller_identity"): {"Account": "123456789012"},
            ("cloudformation", "describe_stacks"): {"Stacks": [{"StackName": "stack-dev"}]},
            ("cloudformation", "get_template"): {"TemplateBody": {"Resources": {"Guard": guard}}},
            ("codecommit", "list_approval_rule_templates"): {"approvalRuleTemplateNames": []},
            ("codecommit", "create_approval_rule_template"): {},
            ("codecommit", "associate_approval_rule_template_with_repository"): {},
            **(answers or {}),
        }
    )
    account.session = type("Session", (), {"region_name": "us-east-1"})()
    return Protection("dev", account)


def printed(subject: Protection) -> dict[str, Any]:
    return protect(subject, lambda _: None)


def test_a_rule_is_made_for_main_alone_and_associated_with_the_repository() -> None:
    subject = protection(requiredApprovals="2")
    printed(subject)
    made = {operation: arguments for _, operation, arguments in subject.account.asked}  # type: ignore[attr-defined]
    content = json.loads(made["create_approval_rule_template"]["approvalRuleTemplateContent"])
    assert content["DestinationReferences"] == ["refs/heads/main"]
    assert content["Statements"] == [{"Type": "Approvers", "NumberOfApprovalsNeeded": 2}]
    assert made["associate_approval_rule_template_with_repository"] == {
        "approvalRuleTemplateName": "approvals-dev",
        "repositoryName": "repository-dev",
    }


def test_the_policy_only_denies_and_leaves_the_merge_of_an_approved_request() -> None:
    policy = printed(protection(requiredApprovals="1"))
    assert {each["Effect"] for each in policy["Statement"]} == {"Deny"}
    changes = policy["Statement"][0]
    assert changes["Action"] == [f"codecommit:{name}" for name in CHANGES_OF_A_BRANCH]
    assert changes["Resource"] == ["arn:aws:codecommit:us-east-1:123456789012:repository-dev"]
    assert changes["Condition"] == {
        "StringEqualsIfExists": {"codecommit:References": ["refs/heads/main"]},
        "Null": {"codecommit:References": "false"},
    }
    denied = {action for each in policy["Statement"] for action in each["Action"]}
    assert not [action for action in denied if "MergePullRequest" in action]
    assert "codecommit:OverridePullRequestApprovalRules" in denied
    assert "codepipeline:PutApprovalResult" not in denied


def test_an_environment_that_promotes_denies_approvals_and_the_roles_that_approve() -> None:
    policy = printed(protection(promoteTo="staging@222222222222,prod@333333333333"))
    denied = {each["Sid"]: each["Resource"] for each in policy["Statement"]}
    assert denied == {
        "DenyApprovals": ["arn:aws:codepipeline:us-east-1:123456789012:pipeline-dev/*"],
        "DenyChangingThePipeline": ["arn:aws:codepipeline:us-east-1:123456789012:pipeline-dev"],
        "DenyTheRolesThatApprove": [
            f"arn:aws:iam::123456789012:role/approval-role-{target}-dev" for target in ("staging", "prod")
        ],
    }


def test_a_rule_and_a_policy_of_an_earlier_run_are_updated() -> None:
    answers = {
        ("codecommit", "create_approval_rule_template"): refusing(
            "ApprovalRuleTemplateNameAlreadyExistsException"
        ),
        ("codecommit", "update_approval_rule_template_content"): {},
        ("iam", "create_policy"): refusing("EntityAlreadyExists"),
        ("iam", "get_policy"): {"Policy": {"DefaultVersionId": "v3"}},
        ("iam", "create_policy_version"): {},
        ("iam", "delete_policy_version"): {},
        ("iam", "attach_role_policy"): {},
    }
    subject, lines = protection(answers, requiredApprovals="1"), list[str]()
    protect(subject, lines.append, role="developers")
    made = {operation: arguments for _, operation, arguments in subject.account.asked}  # type: ignore[attr-defined]
    assert made["delete_policy_version"] == {"PolicyArn": ARN, "VersionId": "v3"}
    assert made["attach_role_policy"] == {"RoleName": "developers", "PolicyArn": ARN}
    assert lines[-1] == "developers: attached developer-policy-dev"


@pytest.mark.parametrize("approvals", ["0", "2"])
def test_a_dry_run_says_what_would_be_made_and_makes_nothing(approvals: str) -> None:
    lines: list[str] = []
    answers = {
        ("codecommit", "list_approval_rule_templates"): {"approvalRuleTemplateNames": ["approvals-dev"]}
    }
    subject = protection(answers, requiredApprovals=approvals, promoteTo="staging@222222222222")
    assert protect(subject, lines.append, role="developers", dry_run=True)["Statement"]
    rule = {
        "0": "would delete approvals-dev, as requiredApprovals is 0",
        "2": "main would take pull requests with 2 approvals (approvals-dev)",
    }
    assert lines == [
        f"repository-dev: {rule[approvals]}",
        "developers: would attach developer-policy-dev",
    ]
    made = {"create_approval_rule_template", "delete_approval_rule_template", "attach_role_policy"}
    assert not made & set(subject.account.operations)  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_the_command_prints_the_policy_after_what_it_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    subject = protection(requiredApprovals="1")
    monkeypatch.setattr(command, "Account", lambda: subject.account)
    assert command.main(["protect", "dev", *words]) == 0
    said, made = (
        capsys.readouterr(),
        "repository-dev: main takes pull requests with 1 approval (approvals-dev)",
    )
    if words:
        assert json.loads(said.out)["policy"] == subject.policy()
        assert (json.loads(said.out)["messages"], said.err) == ([made], f"{made}\n")
    else:
        line, _, policy = said.out.partition("\n")
        assert (line, json.loads(policy)) == (made, subject.policy())


def test_without_approvals_and_promotions_nothing_is_made_and_a_former_rule_is_deleted() -> None:
    answers = {
        ("codecommit", "list_approval_rule_templates"): {"approvalRuleTemplateNames": ["approvals-dev"]},
        ("codecommit", "disassociate_approval_rule_template_from_repository"): {},
        ("codecommit", "delete_approval_rule_template"): {},
    }
    subject = protection(answers)
    with pytest.raises(OperationsError, match="nothing protects dev: its requiredApprovals is 0"):
        protect(subject, lambda _: None)
    assert subject.account.operations[-1] == "delete_approval_rule_template"  # type: ignore[attr-defined]


def test_an_environment_that_is_not_deployed_is_refused() -> None:
    def absent(**_: Any) -> dict[str, Any]:
        error = {"Code": "ValidationError", "Message": "does not exist"}
        raise ClientError({"Error": error}, "DescribeStacks")

    with pytest.raises(OperationsError, match="stack-dev does not exist: deploy dev first"):
        protect(protection({("cloudformation", "describe_stacks"): absent}), lambda _: None)
