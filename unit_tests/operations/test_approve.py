"""`operations approve`: what it writes on which side, and what it refuses."""

from __future__ import annotations

import pytest

from operations import __main__ as command
from operations import approve
from operations.account import Account
from operations.approve import Source
from operations.errors import OperationsError
from unit_tests.operations.account_fakes import Answer, FakeAccount

COMMIT, OTHER = "a" * 40, "b" * 40
DIGEST = f"sha256:{'c' * 64}"
SOURCE = Source("dev", "111111111111")


def state(status: str = "InProgress") -> Answer:
    latest = {"status": status, "token": "the-token"}
    return {
        "stageStates": [
            {"stageName": "Source", "actionStates": [{"actionName": "Source"}]},
            {
                "stageName": "Promote-prod",
                "latestExecution": {"pipelineExecutionId": "run"},
                "actionStates": [{"actionName": "Approve-prod", "latestExecution": latest}],
            },
        ]
    }


def runs(image: str = f"images-dev@{DIGEST}") -> Answer:
    def run(stage: str, **variables: str) -> dict[str, object]:
        named = {"stageName": stage, "actionName": stage, "startTime": 0}
        return {**named, "output": {"outputVariables": variables}}

    return {
        "actionExecutionDetails": [
            run("Promote-prod", IMAGE_URI="another"),
            run("Build", IMAGE_URI=image),
            # Of the first attempt, before the stage was retried.
            run("Build", IMAGE_URI=f"images-dev@sha256:{'d' * 64}"),
            run("Source", CommitId=COMMIT),
        ]
    }


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    """The account of both, whose calls are recorded in their order."""
    identity = {"Account": "222222222222", "Arn": "arn:aws:sts::222222222222:assumed-role/managers/mary"}
    made = FakeAccount(
        {
            ("sts", "get_caller_identity"): identity,
            ("codepipeline", "get_pipeline_state"): state(),
            ("codepipeline", "list_action_executions"): runs(),
            ("codepipeline", "put_approval_result"): {},
            ("ssm", "put_parameter"): {},
        }
    )

    def assume(_: Account, owner: str, role: str) -> Account:
        made.asked.append(("sts", "assume_role", {"owner": owner, "role": role}))
        return made

    monkeypatch.setattr(approve, "_assume", assume)
    return made


def test_the_image_is_approved_at_the_target_before_the_pipeline_continues(account: FakeAccount) -> None:
    lines: list[str] = []
    approve.approve("prod", SOURCE, COMMIT, account, lines.append)
    assert [each for each in account.asked if each[0] == "sts" and each[1] == "assume_role"] == [
        ("sts", "assume_role", {"owner": "222222222222", "role": "approver-role-prod"}),
        ("sts", "assume_role", {"owner": "111111111111", "role": "approval-role-prod-dev"}),
    ]
    assert account.asked[-2:] == [
        (
            "ssm",
            "put_parameter",
            {"Name": "/approvals-prod/image", "Value": DIGEST, "Type": "String", "Overwrite": True},
        ),
        (
            "codepipeline",
            "put_approval_result",
            {
                "pipelineName": "pipeline-dev",
                "stageName": "Promote-prod",
                "actionName": "Approve-prod",
                "result": {"summary": f"operations approve: {DIGEST}", "status": "Approved"},
                "token": "the-token",
            },
        ),
    ]
    assert f"dev promotes commit {COMMIT} with image {DIGEST} to prod" in lines


def test_without_a_commit_it_only_says_what_is_pending(account: FakeAccount) -> None:
    lines: list[str] = []
    approve.approve("prod", SOURCE, None, account, lines.append)
    assert f"dev promotes commit {COMMIT} with image {DIGEST} to prod" in lines
    assert not {"put_parameter", "put_approval_result"} & set(account.operations)


def test_after_an_answer_in_the_console_the_image_is_approved_at_the_target_alone(
    account: FakeAccount,
) -> None:
    account.answers["codepipeline", "get_pipeline_state"] = state("Succeeded")
    lines: list[str] = []
    approve.approve("prod", SOURCE, COMMIT, account, lines.append)
    assert account.operations[-1] == "put_parameter"
    assert "if its stage Promote-prod failed, retry it" in lines[-1]


@pytest.mark.parametrize(
    ("answers", "commit", "why"),
    [
        ({}, OTHER, f"the promotion is of commit {COMMIT}, not of {OTHER}"),
        ({("codepipeline", "get_pipeline_state"): state("Failed")}, COMMIT, "no approval of a promotion"),
        ({("codepipeline", "list_action_executions"): runs("images-dev:latest")}, COMMIT, "names no commit"),
    ],
)
def test_nothing_else_is_approved(
    account: FakeAccount, answers: dict[tuple[str, str], Answer], commit: str, why: str
) -> None:
    account.answers |= answers
    with pytest.raises(OperationsError, match=why):
        approve.approve("prod", SOURCE, commit, account, print)
    assert not {"put_parameter", "put_approval_result"} & set(account.operations)


@pytest.mark.parametrize(
    "words",
    [
        ["--from", "dev"],
        ["--from", "dev@1234"],
        ["--from", "dev@111111111111", "--commit", "abc"],
    ],
)
def test_a_wrong_option_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["approve", "prod", *words])
    assert caught.value.code == 2
    assert "see python -m operations approve --help" in capsys.readouterr().err


def test_the_environment_that_promotes_must_be_named(account: FakeAccount) -> None:
    options = command.parser().parse_args(["approve", "prod"])
    with pytest.raises(OperationsError, match="give --from SUFFIX@ACCOUNT"):
        approve.run(options, account)
