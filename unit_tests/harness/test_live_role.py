"""The policy of `AWS_LIVE_ROLE_ARN` allows each call that a run on AWS may make, also those of a failed run.

What a run that succeeds calls is checked by integration_tests/test_first_scenario.py.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from policy_sentry.querying.actions import get_action_data

from harness.live_role import POLICY
from unit_tests.project_files import PROJECT

STATEMENTS = json.loads(POLICY.read_text("utf-8"))["Statement"]
ACTIONS = [
    action
    for one in STATEMENTS
    for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
]
# The commands of a person, which no scenario of `--live` alone runs, and what runs on local_aws only.
NOT_LIVE = (
    *("approve", "break_glass", "immutable", "protection", "rollback", "secrets_command", "status"),
    *("build_project", "check_service", "stacks", "live_role", "stored_variables"),
)
PREFIXES = {"elbv2": "elasticloadbalancing", "service-quotas": "servicequotas"}
# Operations whose action has another name; no permission is needed for "".
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
NAMES = {
    "GetCallerIdentity": "",
    "DeleteObjects": "DeleteObject",
    "HeadBucket": "ListBucket",
    "ListBuckets": "ListAllMyBuckets",
    "ListObjectVersions": "ListBucketVersions",
    "GetAwsDefaultServiceQuota": "GetAWSDefaultServiceQuota",
    "GetOpenIdConnectProvider": "GetOpenIDConnectProvider",
    "ListOpenIdConnectProviders": "ListOpenIDConnectProviders",
}


def client_of(node: ast.expr) -> str:
    """Return the service of an expression like `account.client("ecs")`, else nothing."""
    is_client = isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "client" and node.args
    return str(getattr(node.args[0], "value", "")) if is_client else ""  # type: ignore[attr-defined]


def calls(source: str) -> Iterator[tuple[str, str]]:
    """Yield the service and the operation of each call that is written with its names."""
    tree = ast.parse(source)
    classes = [one for one in tree.body if isinstance(one, ast.ClassDef)]
    others = [one for one in tree.body if not isinstance(one, ast.ClassDef)]
    for function in (*others, *(one for each in classes for one in each.body)):
        yield from calls_of(list(ast.walk(function)))


def calls_of(nodes: list[ast.AST]) -> Iterator[tuple[str, str]]:
    """Yield the calls of one function, whose clients may be in variables."""
    clients = dict(pair for node in nodes if isinstance(node, ast.Assign) for pair in assigned(node))
    for node in nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from call_of(node, node.func, clients)


def assigned(node: ast.Assign) -> Iterator[tuple[str, str]]:
    """Yield the variable and the service of each client that is assigned."""
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        pairs = zip(target.elts, value.elts, strict=True)
        yield from ((ast.unparse(one), client_of(two)) for one, two in pairs)
    else:
        yield ast.unparse(target), client_of(value)


def call_of(node: ast.Call, function: ast.Attribute, clients: dict[str, str]) -> Iterator[tuple[str, str]]:
    if function.attr == "pages":
        service, name = (str(getattr(argument, "value", "")) for argument in node.args[:2])
    else:
        service = client_of(function.value) or clients.get(ast.unparse(function.value), "")
        name = function.attr
    if service and name not in ("", "can_paginate"):
        yield service, name


def action_of(service: str, operation: str) -> str:
    name = "".join(part.capitalize() for part in operation.split("_"))
    name = NAMES.get(name, name)
    return f"{PREFIXES.get(service, service)}:{name}" if name else ""


def needed() -> set[str]:
    paths = [path for room in ("operations", "harness") for path in (PROJECT / room).rglob("*.py")]
    live = [path for path in paths if not {path.stem, *path.relative_to(PROJECT).parts} & set(NOT_LIVE)]
    found = {action_of(*call) for path in live for call in calls(path.read_text("utf-8"))}
    return {action for action in found if action}


def is_allowed(action: str) -> bool:
    return any(fnmatchcase(action, pattern) for pattern in ACTIONS)


def test_each_call_of_a_run_is_allowed() -> None:
    assert len(needed()) > 90
    assert sorted(action for action in needed() if not is_allowed(action)) == []


def test_a_call_is_found_in_each_form() -> None:
    source = """
def look(a):
    x, y = a.client("ecs"), a.client("iam")
    x.list_tasks()
    a.client("elbv2").describe_tags()
class Look:
    def look(self):
        a.pages("s3", "list_buckets", "B")
"""
    found = {action_of(*call) for call in calls(source)}
    assert found == {"ecs:ListTasks", "elasticloadbalancing:DescribeTags", "s3:ListAllMyBuckets"}


@pytest.mark.parametrize("action", [action for action in ACTIONS if "*" not in action])
def test_each_action_exists_and_none_that_only_others_use_is_granted(action: str) -> None:
    service, _, name = action.partition(":")
    assert get_action_data(service, name), f"IAM knows no {action}"


def test_it_grants_no_wildcard_but_reading() -> None:
    wild = [action.partition(":")[2] for action in ACTIONS if "*" in action]
    assert wild
    assert all(name.startswith(("BatchGet", "Describe", "Get", "List")) for name in wild)


def test_it_fits_into_a_managed_policy() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
    assert len("".join(Path(POLICY).read_text("utf-8").split())) <= 6144
