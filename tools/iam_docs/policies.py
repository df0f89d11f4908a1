"""The policies of the templates as plain data: of each role, and of each resource that has one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.iam_docs.references import Resource, Templates

# Resource policies: the property that holds one, and the property that says whose it is.
HELD_BY: dict[str, tuple[str, str | None]] = {
    "AWS::ECR::Repository": ("RepositoryPolicyText", None),
    "AWS::KMS::Key": ("KeyPolicy", None),
    "AWS::Logs::ResourcePolicy": ("PolicyDocument", None),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues"),
}
# What would give a role permissions behind the page's back.
OUTSIDE = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy")


@dataclass(frozen=True)
class Statement:
    """One statement; every field that IAM writes as one or as many is many here."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str, str], ...] = ()

    @property
    def step(self) -> str:
        """Read the Sid, a sentence in CamelCase, as the step of the loop that needs the statement."""
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", self.sid)
        return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words.split())


@dataclass(frozen=True)
class Policy:
    """What one role may do and who may take it on, or who may do what with one resource."""

    holder: str
    type: str
    description: str
    statements: tuple[Statement, ...]
    trust: tuple[Statement, ...] = ()
    managed: tuple[str, ...] = ()

    @property
    def is_role(self) -> bool:
        return self.type == "AWS::IAM::Role"


def read_policies(templates: Templates) -> list[Policy]:
    """List every policy, sorted by its holder: the roles first."""
    found = [_role(templates, role) for role in templates.resources("AWS::IAM::Role")]
    found += _of_resources(templates)
    return sorted(found, key=lambda policy: (not policy.is_role, policy.holder))


def _role(templates: Templates, role: Resource) -> Policy:
    properties = templates.plain(
        {key: role.properties.get(key, []) for key in ("AssumeRolePolicyDocument", "Policies")}, role.part
    )
    return Policy(
        holder=templates.text(role.properties["RoleName"], role.part),
        type=role.type,
        description=str(role.properties.get("Description", "")),
        statements=tuple(
            statement for each in properties["Policies"] for statement in _statements(each["PolicyDocument"])
        ),
        trust=tuple(_statements(properties["AssumeRolePolicyDocument"])),
        managed=tuple(
            templates.text(each, role.part) for each in role.properties.get("ManagedPolicyArns", [])
        ),
    )


def _of_resources(templates: Templates) -> Iterator[Policy]:
    for resource in templates.resources(*HELD_BY):
        holds, of = HELD_BY[resource.type]
        document = resource.properties.get(holds)
        if document is None:
            continue
        document = templates.plain(document, resource.part)
        if isinstance(document, str):
            document = json.loads(document)
        statements = tuple(_statements(document))
        holder = templates.plain(resource.properties[of], resource.part) if of else resource.path
        if (
            resource.type == "AWS::Logs::ResourcePolicy"
        ):  # It is the account's: its statements say whose it is.
            holder = sorted({arn for statement in statements for arn in statement.resources})
        yield Policy(
            holder=", ".join(_listed(holder)),
            type=resource.type,
            description=str(resource.properties.get("Description", "")),
            statements=statements,
        )
    yield from _of_functions(templates)


def _of_functions(templates: Templates) -> Iterator[Policy]:
    for resource in templates.resources("AWS::Lambda::Permission"):
        given = {key: templates.text(value, resource.part) for key, value in resource.properties.items()}
        sources = {"aws:SourceArn": given.get("SourceArn"), "aws:SourceAccount": given.get("SourceAccount")}
        yield Policy(
            holder=given["FunctionName"],
            type=resource.type,
            description="",
            statements=(
                Statement(
                    sid="",
                    effect="Allow",
                    actions=(given["Action"],),
                    resources=(given["FunctionName"],),
                    principals=(given["Principal"],),
                    conditions=tuple(("ArnLike", key, value) for key, value in sources.items() if value),
                ),
            ),
        )


def _statements(document: dict[str, Any]) -> Iterator[Statement]:
    for each in _listed(document["Statement"]):
        if unknown := set(each) - {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}:
            raise ValueError(f"a statement with {', '.join(sorted(unknown))}: this page could not show it")
        yield Statement(
            sid=each.get("Sid", ""),
            effect=each["Effect"],
            actions=tuple(_listed(each["Action"])),
            resources=tuple(_listed(each.get("Resource", []))),
            principals=tuple(_principals(each.get("Principal", {}))),
            conditions=tuple(
                (operator, key, " or ".join(map(str, _listed(value))))
                for operator, keys in each.get("Condition", {}).items()
                for key, value in keys.items()
            ),
        )


def _principals(principal: Any) -> Iterator[str]:
    if isinstance(principal, str):
        yield principal
        return
    for named in principal.values():
        yield from _listed(named)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
