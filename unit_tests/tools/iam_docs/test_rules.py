"""Least privilege in every policy of the app, with and without every option: kept, and seen broken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("policy_sentry")

from tools.assembly import Assembly
from tools.iam_docs.justifications import EVERY_RESOURCE, LIMITED, PASSED_TO, UNCONFIRMED, WITHOUT_SOURCE
from tools.iam_docs.page import PolicyViolationsError, iam_page
from tools.iam_docs.policies import Policy, Statement, read_policies
from tools.iam_docs.references import References, UnreadableError
from tools.iam_docs.rules import policy_violations, unused_justifications
from tools.synthesis import PROJECT, defaults, every_option
from unit_tests.assembly_cache import cached_assembly

LOG = "arn:aws:logs:us-east-1:<Account>:log-group:/ecs/task-dev:*"
WRITES = Statement("WriteTheLog", "Allow", ("logs:PutLogEvents",), (LOG,))
PASSES = Statement(
    "PassTheTasksRoles",
    "Allow",
    ("iam:PassRole",),
    ("arn:aws:iam::<Account>:role/execution-role-dev", "arn:aws:iam::<Account>:role/task-role-dev"),
    conditions=(("StringEquals", "iam:PassedToService", PASSED_TO),),
)
TRUST = Statement(
    "",
    "Allow",
    ("sts:AssumeRole",),
    (),
    ("codebuild.amazonaws.com",),
    (
        ("StringEquals", "aws:SourceAccount", "<Account>"),
        ("ArnLike", "aws:SourceArn", "arn:aws:codebuild:us-east-1:<Account>:project/*"),
    ),
)
ROLE = Policy("execution-role-dev", "AWS::IAM::Role", "Starts a task", (WRITES, PASSES), (TRUST,))


@pytest.fixture(scope="module")
def by_default() -> Assembly:
    return Assembly.read(cached_assembly(defaults()))


@pytest.fixture(scope="module")
def with_every_option() -> Assembly:
    return Assembly.read(cached_assembly(every_option()))


EMPTY = Assembly({})


@pytest.fixture(params=["by_default", "with_every_option"])
def templates(request: pytest.FixtureRequest) -> Assembly:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Assembly)
    return found


def test_every_policy_complies_with_every_rule(templates: Assembly) -> None:
    """No CDK magic (pitfalls D7, D8), no CreateLogGroup (pitfall H2), and as AWS's reference says."""
    policies = read_policies(templates)
    assert len([policy for policy in policies if policy.is_role]) >= 10
    assert not policy_violations(templates, policies)


def test_every_justification_is_used(by_default: Assembly, with_every_option: Assembly) -> None:
    assert not unused_justifications([*read_policies(by_default), *read_policies(with_every_option)])


def test_the_page_is_current(by_default: Assembly, with_every_option: Assembly) -> None:
    """`python -m tools docs --write` writes it."""
    written = (PROJECT / "docs" / "iam.md").read_text("utf-8")
    assert written == iam_page(with_every_option, by_default)


def test_a_page_of_policies_that_violate_a_rule_is_not_rendered() -> None:
    """Without any policy, every justification is unused."""
    with pytest.raises(PolicyViolationsError) as error:
        iam_page(EMPTY, EMPTY)
    assert error.value.violations == unused_justifications([])


def test_a_role_that_complies_with_the_rules_passes() -> None:
    """Otherwise the next test could pass for the wrong reason."""
    assert not policy_violations(EMPTY, [ROLE])


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
        "supports no resource",
    ),
    "a condition key that the action does not support": (
        replace(ROLE, statements=(replace(WRITES, conditions=(("StringEquals", "ecs:cluster", "x"),)),)),
        "does not support the condition key ecs:cluster",
    ),
    "a log group that it may create": (
        replace(ROLE, statements=(replace(WRITES, actions=("logs:CreateLogGroup",)),)),
        "pitfall H2",
    ),
    "any role passed": (
        replace(ROLE, statements=(replace(PASSES, resources=("arn:aws:iam::<Account>:role/*",)),)),
        "only the two roles of the task",
    ),
    "a third role passed": (
        replace(
            ROLE,
            statements=(replace(PASSES, resources=(*PASSES.resources, "arn:aws:iam::<Account>:role/x")),),
        ),
        "only the two roles of the task",
    ),
    "roles passed to any service": (
        replace(ROLE, statements=(replace(PASSES, conditions=()),)),
        "to ecs.amazonaws.com or ecs-tasks.amazonaws.com alone",
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
        "name its roles with aws:PrincipalArn",
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
        "add conditions on aud and sub",
    ),
    "everyone trusted": (replace(ROLE, trust=(replace(TRUST, principals=("*",)),)), "trusts everyone"),
    "a resource open to everyone": (
        Policy("bucket", "AWS::S3::BucketPolicy", "", (replace(WRITES, principals=("*",)),)),
        "open to everyone",
    ),
}


@pytest.mark.parametrize("broken", sorted(BROKEN))
def test_what_violates_a_rule_is_reported(broken: str) -> None:
    policy, says = BROKEN[broken]
    found = policy_violations(EMPTY, [policy])
    assert any(line.startswith(f"{policy.holder}: ") and says in line for line in found), found


def test_what_is_denied_may_be_denied_everywhere() -> None:
    denies = replace(
        WRITES, sid="KeepTheLog", effect="Deny", actions=("logs:DeleteLogGroup",), resources=("*",)
    )
    assert not policy_violations(EMPTY, [replace(ROLE, statements=(denies,))])


def test_a_policy_outside_its_role_is_a_violation(tmp_path: Path) -> None:
    """It may be created after the first execution has started (pitfall B6)."""
    (tmp_path / "Stack.template.json").write_text(
        '{"Resources": {"X": {"Type": "AWS::IAM::Policy", "Metadata": {"aws:cdk:path": "Stack/X/Resource"}}}}'
    )
    assert "pitfall B6" in policy_violations(Assembly.read(tmp_path), [])[0]


def test_an_unused_justification_is_reported() -> None:
    every = [*EVERY_RESOURCE, *LIMITED, *UNCONFIRMED, *WITHOUT_SOURCE]
    assert len(unused_justifications([])) == len(every)


def test_each_justification_has_a_page_of_aws() -> None:
    limited = [justification for _, justification in LIMITED.values()]
    others = [*EVERY_RESOURCE.values(), *UNCONFIRMED.values(), *WITHOUT_SOURCE.values()]
    for justification in [*others, *limited]:
        assert justification.page.startswith("https://docs.aws.amazon.com/")


def test_an_unsupported_reference_is_an_error(by_default: Assembly) -> None:
    stack = next(iter(by_default.templates))
    with pytest.raises(UnreadableError):
        References(by_default).text({"Fn::Select": [0, ["a"]]}, stack)


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
