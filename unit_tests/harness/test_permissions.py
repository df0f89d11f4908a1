"""The table of permissions of all environments, and what is neither used nor explained."""

from io import StringIO
from typing import Any

from rich.console import Console

from harness.permissions import count_needed, statements, table, unexplained


def statement(
    policy: str, sid: str, used: dict[str, int], *granted: str, needed: bool = True
) -> dict[str, Any]:
    return {
        "policy": policy,
        "sid": sid,
        "effect": "Allow",
        "granted": list(granted),
        "used": used,
        "needed": needed,
    }


REPORT = {
    "statements": [
        statement("role web-role-dev: policy", "Look", {"ecs:ListTasks": 2}, "ecs:ListTasks", "ecs:RunTask"),
        statement("role web-role-it: policy", "Look", {"ecs:RunTask": 1}, "ecs:ListTasks", "ecs:RunTask"),
        statement("role web-role-dev: policy", "Idle", {}, "sqs:SendMessage", needed=False),
        statement("role cdk-hnb659fds-deploy-role: default", "Other", {}, "s3:*", needed=False),
        statement("trust web-role-dev", "#0", {"sts:AssumeRole": 1}, "sts:AssumeRole"),
    ]
}


def test_environments_count_together_and_bootstrap_policies_are_left_out() -> None:
    found = statements(REPORT, ["dev", "it"])
    assert [(one.policy, one.sid) for one in found] == [
        ("trust web-role", "#0"),
        ("web-role", "Idle"),
        ("web-role", "Look"),
    ]
    assert found[2].used == {"ecs:ListTasks": 2, "ecs:RunTask": 1}
    assert found[2].unused == []


def test_a_statement_with_a_generated_id_is_one_in_all_environments() -> None:
    function, sids = "arn:aws:lambda:us-east-1:1:function:hook", ("stack-dev-Part-1-a1", "stack-it-Part-1-b2")
    report = {
        "statements": [
            statement(f"{function}-{suffix}", sid, {"lambda:InvokeFunction": 1}, "lambda:InvokeFunction")
            for suffix, sid in zip(("dev", "it"), sids, strict=True)
        ]
    }
    (found,) = statements(report, ["dev", "it"])
    assert (found.policy, found.sid, found.used) == ("hook", "(generated)", {"lambda:InvokeFunction": 2})


def test_unused_actions_and_unneeded_statements_are_reported() -> None:
    assert list(unexplained(statements(REPORT, ["dev"]))) == [
        "web-role: nothing fails without the statement Idle",
        "web-role: Idle grants sqs:SendMessage, which was never used",
        "web-role: Look grants ecs:RunTask, which was never used",
    ]
    assert count_needed(statements(REPORT, ["dev"])) == (2, 3)


def test_the_table_shows_what_happens_without_a_statement() -> None:
    console = Console(width=160, record=True, file=StringIO())
    console.print(table(statements(REPORT, ["dev"])))
    text = console.export_text()
    assert "NOTHING FAILS" in text
    assert "a call is denied" in text


def test_an_environment_whose_name_begins_with_another_s_keeps_its_own_policies() -> None:
    longer = {"statements": [statement("role web-role-it-2: policy", "Look", {}, "ecs:RunTask")]}
    (found,) = statements(longer, ["it", "it-2"])
    assert found.policy == "web-role"
