"""The policies of the templates as data: of each role, and of each resource with a resource policy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tools.assembly import Assembly, Resource
from tools.iam_docs.references import References

# Resource policies: the property with the document, and the property with the holder (None: the resource).
HELD_BY: dict[str, tuple[str, str | None]] = {
    "AWS::ECR::Repository": ("RepositoryPolicyText", None),
    "AWS::KMS::Key": ("KeyPolicy", None),
    "AWS::Logs::LogGroup": ("ResourcePolicyDocument", "LogGroupName"),
    "AWS::S3::BucketPolicy": ("PolicyDocument", "Bucket"),
    "AWS::SNS::TopicPolicy": ("PolicyDocument", "Topics"),
    "AWS::SQS::QueuePolicy": ("PolicyDocument", "Queues"),
}
# Types that would add permissions to a role from outside.
OUTSIDE = ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy")


@dataclass(frozen=True)
class Statement:
    """One statement; what IAM writes as a value or as a list is always a tuple."""

    sid: str
    effect: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...] = ()
    conditions: tuple[tuple[str, str, str], ...] = ()

    @property
    def step(self) -> str:
        """The Sid as words: the step that needs the statement."""
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", self.sid)
        return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words.split())


@dataclass(frozen=True)
class Policy:
    """The permissions and the trust of one role, or the policy of one resource."""

    holder: str
    type: str
    description: str
    statements: tuple[Statement, ...]
    trust: tuple[Statement, ...] = ()
    managed: tuple[str, ...] = ()

    @property
    def is_role(self) -> bool:
        return self.type == "AWS::IAM::Role"


def read_policies(assembly: Assembly) -> list[Policy]:
    """Return every policy, sorted by its holder: the roles first."""
    references = References(assembly)
    found = [_of_role(references, role) for role in assembly.resources("AWS::IAM::Role")]
    found += [_of_function(references, each) for each in assembly.resources("AWS::Lambda::Permission")]
    for resource in assembly.resources(*HELD_BY):
        document, holder = HELD_BY[resource.type]
        if document in resource.properties:
            found.append(_of_resource(references, resource, document, holder))
    return sorted(found, key=lambda policy: (not policy.is_role, policy.holder))


def _of_role(references: References, role: Resource) -> Policy:
    documents = {key: role.properties.get(key, []) for key in ("AssumeRolePolicyDocument", "Policies")}
    properties = references.plain(documents, role.stack)
    managed = role.properties.get("ManagedPolicyArns", [])
    return Policy(
        holder=references.text(role.properties["RoleName"], role.stack),
        type=role.type,
        description=str(role.properties.get("Description", "")),
        statements=tuple(
            statement for each in properties["Policies"] for statement in _statements(each["PolicyDocument"])
        ),
        trust=tuple(_statements(properties["AssumeRolePolicyDocument"])),
        managed=tuple(references.text(each, role.stack) for each in managed),
    )


def _of_resource(references: References, resource: Resource, key: str, named_by: str | None) -> Policy:
    document = references.plain(resource.properties[key], resource.stack)
    if isinstance(document, str):
        document = json.loads(document)
    holder = references.plain(resource.properties[named_by], resource.stack) if named_by else resource.path
    return Policy(
        holder=", ".join(_listed(holder)),
        type=resource.type,
        description=str(resource.properties.get("Description", "")),
        statements=tuple(_statements(document)),
    )


def _of_function(references: References, resource: Resource) -> Policy:
    given = {key: references.text(value, resource.stack) for key, value in resource.properties.items()}
    sources = {"aws:SourceArn": given.get("SourceArn"), "aws:SourceAccount": given.get("SourceAccount")}
    statement = Statement(
        sid="",
        effect="Allow",
        actions=(given["Action"],),
        resources=(given["FunctionName"],),
        principals=(given["Principal"],),
        conditions=tuple(("ArnLike", key, value) for key, value in sources.items() if value),
    )
    return Policy(holder=given["FunctionName"], type=resource.type, description="", statements=(statement,))


def _statements(document: dict[str, Any]) -> Iterator[Statement]:
    for each in _listed(document["Statement"]):
        if unknown := set(each) - {"Sid", "Effect", "Action", "Resource", "Principal", "Condition"}:
            raise ValueError(f"a statement with {', '.join(sorted(unknown))}: the page does not support it")
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
