"""`operations approve`: what it writes on which side, and what it refuses."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta, timezone
from typing import Any

import pytest

from operations import __main__ as command
from operations import approve
from operations.account import Account
from operations.approve import Approvers, Source
from operations.errors import OperationsError
from unit_tests.operations.account_fakes import Answer, FakeAccount
from unit_tests.operations.approval_answers import (
    COMMIT,
    DIGEST,
    MADE,
    MARY,
    OTHER,
    OTHER_DIGEST,
    RAN,
    history,
    pipeline,
    projects,
    runs,
    state,
)

SOURCE = Source("dev", "111111111111")


def people(account: FakeAccount) -> Approvers:
    return Approvers("prod", SOURCE, account)


def is_approved(account: FakeAccount, **changes: Any) -> None:
    """Let an approver have approved the definition as it is now."""
    definition = people(account).definition.digest
    account.asked.clear()
    answer = history("none", f"{OTHER_DIGEST} {definition}", OTHER_DIGEST, **changes)
    account.answers["ssm", "get_parameter_history"] = answer


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> FakeAccount:
    """The account of both, whose calls are recorded in their order."""
    identity = {"Account": "222222222222", "Arn": "arn:aws:sts::222222222222:assumed-role/managers/mary"}
    made = FakeAccount(
        {
            ("sts", "get_caller_identity"): identity,
            ("codepipeline", "get_pipeline_state"): state(),
            ("codepipeline", "get_pipeline_execution"): {"pipelineExecution": {"pipelineExecutionId": "run"}},
            ("codepipeline", "list_action_executions"): runs(),
            ("codepipeline", "put_approval_result"): {},
            ("codepipeline", "get_pipeline"): pipeline(),
            ("codebuild", "batch_get_projects"): projects(),
            ("ssm", "put_parameter"): {},
        }
    )

    def assume(_: Account, owner: str, role: str) -> Account:
        made.asked.append(("sts", "assume_role", {"owner": owner, "role": role}))
        return made

    monkeypatch.setattr(approve, "_assume", assume)
    is_approved(made)
    return made


def test_the_image_is_approved_at_the_target_before_the_pipeline_continues(account: FakeAccount) -> None:
    lines: list[str] = []
    seen = people(account)
    account.asked.clear()
    approve.approve(Approvers("prod", SOURCE, account), COMMIT, lines.append)
    asked = list(account.asked)
    value = f"{DIGEST} {seen.definition.digest}"
    assert [each for each in asked if each[0] == "sts" and each[1] == "assume_role"] == [
        ("sts", "assume_role", {"owner": "222222222222", "role": "approver-role-prod"}),
        ("sts", "assume_role", {"owner": "111111111111", "role": "approval-role-prod-dev"}),
    ]
    assert asked[-2:] == [
        (
            "ssm",
            "put_parameter",
            {"Name": "/approvals-prod/image", "Value": value, "Type": "String", "Overwrite": True},
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
    approve.approve(people(account), None, lines.append)
    assert f"dev promotes commit {COMMIT} with image {DIGEST} to prod" in lines
    assert not {"put_parameter", "put_approval_result"} & set(account.operations)


def test_after_an_answer_in_the_console_the_image_is_approved_at_the_target_alone(
    account: FakeAccount,
) -> None:
    account.answers["codepipeline", "get_pipeline_state"] = state("Succeeded")
    lines: list[str] = []
    approve.approve(people(account), COMMIT, lines.append)
    assert account.operations[-1] == "put_parameter"
    assert "if its stage Promote-prod failed, retry it" in lines[-1]


def test_a_rollback_releases_what_its_target_has_built(account: FakeAccount) -> None:
    """It has no Source and no Build of its own."""
    metadata = {"rollbackTargetPipelineExecutionId": "earlier"}
    account.answers["codepipeline", "get_pipeline_execution"] = {
        "pipelineExecution": {"pipelineExecutionId": "run", "rollbackMetadata": metadata}
    }
    built = runs()["actionExecutionDetails"]  # type: ignore[index]

    def listed(**arguments: Any) -> dict[str, Any]:
        is_of_target = arguments["filter"] == {"pipelineExecutionId": "earlier"}
        return {"actionExecutionDetails": built if is_of_target else built[:1]}

    account.answers["codepipeline", "list_action_executions"] = listed
    assert approve.approve(people(account), COMMIT, print) == approve.Promoted("the-token", COMMIT, DIGEST)
    assert account.operations[-2:] == ["put_parameter", "put_approval_result"]


def run(monkeypatch: pytest.MonkeyPatch, account: FakeAccount, *words: str) -> int:
    monkeypatch.setattr(command, "Account", lambda: account)
    return command.main(["approve", "prod", "--from", "dev@111111111111", *words])


@pytest.mark.parametrize(
    ("words", "is_approved", "says"),
    [
        ([], False, f"approve it: python -m operations approve prod ... --commit {COMMIT}"),
        (["--commit", COMMIT, "--dry-run"], False, f"would approve image {DIGEST}"),
        (["--commit", COMMIT], True, "pipeline-dev continues"),
    ],
)
def test_each_form_prints_json_for_a_program(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    account: FakeAccount,
    words: list[str],
    is_approved: bool,
    says: str,
) -> None:
    assert run(monkeypatch, account, "--json", *words) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    messages = found.pop("messages")
    assert messages == said.err.splitlines()
    assert says in messages[-1]
    assert found == {
        "suffix": "prod",
        "source": {"suffix": "dev", "account": "111111111111"},
        "commit": COMMIT,
        "image": DIGEST,
        "definition": people(account).definition.digest,
        "is_approved": is_approved,
        "dry_run": "--dry-run" in words,
    }
    assert is_approved == bool({"put_parameter", "put_approval_result"} & set(account.operations))


def test_a_dry_run_refuses_what_the_approval_would_refuse(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], account: FakeAccount
) -> None:
    assert run(monkeypatch, account, "--json", "--dry-run", "--commit", OTHER) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("operations: ")) == ("", 1)


@pytest.mark.parametrize(
    ("answers", "commit", "why"),
    [
        ({}, OTHER, f"the promotion is of commit {COMMIT}, not of {OTHER}"),
        ({("codepipeline", "get_pipeline_state"): state("Failed")}, COMMIT, "no approval of a promotion"),
        ({("codepipeline", "list_action_executions"): runs("images-dev:latest")}, COMMIT, "names no commit"),
        # Of the pipeline, that no approver has approved it, or that it is another one than made the image.
        (
            {("ssm", "get_parameter_history"): history("none", DIGEST)},
            COMMIT,
            "no approver of prod has approved",
        ),
        ({("codepipeline", "get_pipeline"): pipeline(4)}, COMMIT, "ran with version 3, and the pipeline has"),
        (
            {("codebuild", "batch_get_projects"): projects(RAN)},
            COMMIT,
            "build-dev was changed after Build had",
        ),
        (
            {("codebuild", "batch_get_projects"): {"projects": []}},
            COMMIT,
            "has actions of build-dev, which is",
        ),
    ],
)
def test_nothing_else_is_approved(
    account: FakeAccount, answers: dict[tuple[str, str], Answer], commit: str, why: str
) -> None:
    account.answers |= answers
    with pytest.raises(OperationsError, match=why):
        approve.approve(people(account), commit, print)
    assert not {"put_parameter", "put_approval_result"} & set(account.operations)


@pytest.mark.parametrize(
    ("operation", "answer"),
    [
        ("get_pipeline", pipeline(created=MADE - timedelta(days=1))),
        ("batch_get_projects", projects(MADE + timedelta(seconds=1))),
        ("batch_get_projects", projects(buildspec="version: 0.2 # mine")),
    ],
)
def test_a_definition_that_differs_in_anything_needs_an_approval_of_its_own(
    account: FakeAccount, operation: str, answer: Answer
) -> None:
    """attack G23."""
    before = people(account).definition.digest
    service = "codepipeline" if operation == "get_pipeline" else "codebuild"
    account.answers[service, operation] = answer
    for given in ("", before):
        with pytest.raises(OperationsError, match="no approver of prod has approved pipeline-dev as it is"):
            approve.approve(people(account), COMMIT, print, definition=given)
    assert not {"put_parameter", "put_approval_result"} & set(account.operations)
    now, lines = people(account).definition.digest, list[str]()
    approve.approve(people(account), COMMIT, lines.append, definition=now)
    written = [each for _, name, each in account.asked if name == "put_parameter"]
    assert [each["Value"] for each in written] == [f"{DIGEST} {now}"]
    assert f"pipeline-dev has a definition that no approver of prod has approved: {now}" in lines


def test_what_somebody_else_wrote_approves_no_definition(account: FakeAccount) -> None:
    is_approved(account, by=MARY.replace("approver-role-prod", "approver-role-prod-2"))
    with pytest.raises(OperationsError, match="no approver of prod has approved"):
        approve.approve(people(account), COMMIT, print)


def test_the_digest_is_the_same_in_every_time_zone(account: FakeAccount) -> None:
    before = people(account).definition.digest
    east = timezone(timedelta(hours=9))
    account.answers["codebuild", "batch_get_projects"] = projects(MADE.astimezone(east))
    assert people(account).definition.digest == before


def test_the_definition_is_shown(account: FakeAccount, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["approve", "prod", "--from", "dev@111111111111", "--show-definition"]
    assert approve.run(command.parser().parse_args(words), account) == 0
    shown = capsys.readouterr().out.removesuffix("\n")
    assert json.loads(shown)["projects"][0]["source"] == {"buildspec": "version: 0.2"}
    assert f"sha256:{hashlib.sha256(shown.encode()).hexdigest()}" == people(account).definition.digest


@pytest.mark.parametrize(
    "words",
    [
        ["--from", "dev"],
        ["--from", "dev@1234"],
        ["--from", "dev@111111111111", "--commit", "abc"],
        ["--from", "dev@111111111111", "--definition", "abc"],
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
