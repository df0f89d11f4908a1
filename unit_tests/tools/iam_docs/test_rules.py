"""Least privilege in every policy of the app, with and without every option: kept, and seen broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("policy_sentry")

from tools.assembly import PROJECT, defaults, every_option, synthesize
from tools.iam_docs.justifications import EVERY_RESOURCE, LIMITED, WITHOUT_SOURCE
from tools.iam_docs.page import page
from tools.iam_docs.policies import Policy, Statement, read_policies
from tools.iam_docs.references import Templates, UnreadableError
from tools.iam_docs.rules import complaints, unused_citations

LOG = "arn:aws:logs:us-east-1:<Account>:log-group:/ecs/task-dev:*"
WRITES = Statement("WriteTheLog", "Allow", ("logs:PutLogEvents",), (LOG,))
PASSES = Statement(
    "PassTheTasksRoles",
    "Allow",
    ("iam:PassRole",),
    ("arn:aws:iam::<Account>:role/execution-role-dev", "arn:aws:iam::<Account>:role/task-role-dev"),
    conditions=(("StringEquals", "iam:PassedToService", "ecs-tasks.amazonaws.com"),),
)
TRUST = Statement(
    "",
    "Allow",
    ("sts:AssumeRole",),
    (),
    ("ecs-tasks.amazonaws.com",),
    (
        ("StringEquals", "aws:SourceAccount", "<Account>"),
        ("ArnLike", "aws:SourceArn", "arn:aws:ecs:us-east-1:<Account>:*"),
    ),
)
ROLE = Policy("execution-role-dev", "AWS::IAM::Role", "Starts a task", (WRITES, PASSES), (TRUST,))


@pytest.fixture(scope="module")
def by_default(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    folder = tmp_path_factory.mktemp("defaults")
    synthesize(defaults(), folder)
    return Templates(folder)


@pytest.fixture(scope="module")
def with_every_option(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    folder = tmp_path_factory.mktemp("options")
    synthesize(every_option(), folder)
    return Templates(folder)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(tmp_path_factory.mktemp("empty"))


@pytest.fixture(params=["by_default", "with_every_option"])
def templates(request: pytest.FixtureRequest) -> Templates:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Templates)
    return found


def test_every_policy_keeps_every_rule(templates: Templates) -> None:
    """No CDK magic (pitfalls D7, D8), no CreateLogGroup (pitfall H2), and as AWS's reference says."""
    policies = read_policies(templates)
    assert len([policy for policy in policies if policy.is_role]) >= 10
    assert not complaints(templates, policies)


def test_every_citation_is_needed(by_default: Templates, with_every_option: Templates) -> None:
    assert not unused_citations([*read_policies(by_default), *read_policies(with_every_option)])


def test_the_page_is_current(by_default: Templates, with_every_option: Templates) -> None:
    """It is written by `python -m tools.iam_docs --write`."""
    written = (PROJECT / "docs" / "iam.md").read_text("utf-8")
    assert written == page(read_policies(with_every_option), read_policies(by_default))


def test_a_role_that_keeps_the_rules_passes(empty: Templates) -> None:
    """Else the next test could pass for a wrong reason."""
    assert not complaints(empty, [ROLE])


BROKEN: dict[str, tuple[Policy, str]] = {
    "a managed policy": (replace(ROLE, managed=("arn:aws:iam::aws:policy/AdministratorAccess",)), "managed"),
    "a wildcard": (replace(ROLE, statements=(replace(WRITES, actions=("logs:*",)),)), "with a wildcard"),
    "everything": (replace(ROLE, statements=(replace(WRITES, actions=("*",)),)), "with a wildcard"),
    "every resource": (
        replace(ROLE, statements=(replace(WRITES, resources=("*",)),)),
        "without a page of AWS",
    ),
    "every resource, where AWS offers more": (
        replace(ROLE, statements=(replace(WRITES, resources=("*",)),)),
        "can be limited to arn:",
    ),
    "an action that does not exist": (
        replace(ROLE, statements=(replace(WRITES, actions=("logs:PutLogEvent",)),)),
        "no action of AWS",
    ),
    "another service's resource": (
        replace(ROLE, statements=(replace(WRITES, resources=("arn:aws:s3:::artifacts",)),)),
        "allowed on none of its resources",
    ),
    "a resource too many": (
        replace(ROLE, statements=(replace(WRITES, resources=(LOG, "arn:aws:s3:::artifacts")),)),
        "arn:aws:s3:::artifacts is a resource of none of its actions",
    ),
    "a resource for an action that has none": (
        replace(ROLE, statements=(replace(WRITES, actions=("ecr:GetAuthorizationToken",)),)),
        "has no resource",
    ),
    "a condition that the action does not know": (
        replace(ROLE, statements=(replace(WRITES, conditions=(("StringEquals", "ecs:cluster", "x"),)),)),
        "knows no condition ecs:cluster",
    ),
    "a log group that it may make": (
        replace(ROLE, statements=(replace(WRITES, actions=("logs:CreateLogGroup",)),)),
        "pitfall H2",
    ),
    "any role passed on": (
        replace(ROLE, statements=(replace(PASSES, resources=("arn:aws:iam::<Account>:role/*",)),)),
        "only the two roles of the task",
    ),
    "a third role passed on": (
        replace(
            ROLE,
            statements=(replace(PASSES, resources=(*PASSES.resources, "arn:aws:iam::<Account>:role/x")),),
        ),
        "only the two roles of the task",
    ),
    "roles passed to anybody": (
        replace(ROLE, statements=(replace(PASSES, conditions=()),)),
        "to ecs-tasks.amazonaws.com alone",
    ),
    "no Sid": (replace(ROLE, statements=(replace(WRITES, sid=""),)), "a sentence in CamelCase"),
    "a Sid that says nothing": (
        replace(ROLE, statements=(replace(WRITES, sid="statement1"),)),
        "a sentence in CamelCase",
    ),
    "the same Sid twice": (replace(ROLE, statements=(WRITES, WRITES)), "unique"),
    "a service trusted for any account": (
        replace(ROLE, trust=(replace(TRUST, conditions=TRUST.conditions[1:]),)),
        "without aws:SourceAccount",
    ),
    "a service trusted for any source": (
        replace(ROLE, trust=(replace(TRUST, conditions=TRUST.conditions[:1]),)),
        "without aws:SourceArn",
    ),
    "a whole account trusted": (
        replace(ROLE, trust=(replace(TRUST, principals=("arn:aws:iam::111111111111:root",)),)),
        "name its roles by aws:PrincipalArn",
    ),
    "every repository of GitHub trusted": (
        replace(
            ROLE,
            trust=(
                replace(
                    TRUST,
                    principals=("arn:aws:iam::<Account>:oidc-provider/token.example.com",),
                    conditions=(("StringEquals", "token.example.com:aud", "sts.amazonaws.com"),),
                ),
            ),
        ),
        "ask for aud and sub",
    ),
    "everybody trusted": (replace(ROLE, trust=(replace(TRUST, principals=("*",)),)), "trusted to everybody"),
    "a resource open to everybody": (
        Policy("bucket", "AWS::S3::BucketPolicy", "", (replace(WRITES, principals=("*",)),)),
        "open to everybody",
    ),
}


@pytest.mark.parametrize("broken", sorted(BROKEN))
def test_what_breaks_a_rule_is_a_complaint(empty: Templates, broken: str) -> None:
    policy, says = BROKEN[broken]
    found = complaints(empty, [policy])
    assert any(line.startswith(f"{policy.holder}: ") and says in line for line in found), found


def test_what_is_denied_may_be_denied_everywhere(empty: Templates) -> None:
    denies = replace(
        WRITES, sid="KeepTheLog", effect="Deny", actions=("logs:DeleteLogGroup",), resources=("*",)
    )
    assert not complaints(empty, [replace(ROLE, statements=(denies,))])


def test_a_policy_outside_its_role_is_a_complaint(tmp_path: Path) -> None:
    """What stands outside its role can come too late for a first run (pitfall B6)."""
    (tmp_path / "Stack.template.json").write_text(
        '{"Resources": {"X": {"Type": "AWS::IAM::Policy", "Metadata": {"aws:cdk:path": "Stack/X/Resource"}}}}'
    )
    assert "pitfall B6" in complaints(Templates(tmp_path), [])[0]


def test_a_citation_that_nothing_uses_is_a_complaint() -> None:
    assert len(unused_citations([])) == len(EVERY_RESOURCE) + len(LIMITED) + len(WITHOUT_SOURCE)


def test_each_citation_is_a_page_of_aws() -> None:
    limited = [citation for _, citation in LIMITED.values()]
    for citation in [*EVERY_RESOURCE.values(), *WITHOUT_SOURCE.values(), *limited]:
        assert citation.page.startswith("https://docs.aws.amazon.com/")


def test_a_reference_without_a_reading_is_refused_instead_of_guessed(by_default: Templates) -> None:
    part = next(iter(by_default.by_part))
    with pytest.raises(UnreadableError):
        by_default.text({"Fn::Select": [0, ["a"]]}, part)


@pytest.mark.parametrize(
    ("sid", "step"),
    [
        ("WriteTheLog", "write the log"),
        ("SignInToTheRegistry", "sign in to the registry"),
        ("AllowPublishThroughSSLOnly", "allow publish through SSL only"),
    ],
)
def test_a_sid_reads_as_a_step(sid: str, step: str) -> None:
    assert replace(WRITES, sid=sid).step == step
