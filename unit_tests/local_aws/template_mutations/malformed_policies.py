"""Malformed variants of the policy documents in a template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

PROPERTIES = ("AssumeRolePolicyDocument", "KeyPolicy", "PolicyDocument", "RepositoryPolicyText", "PolicyText")


def policies(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Yield the path of each policy document, and the document."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from policies(each, (*path, number))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            if key in PROPERTIES and isinstance(each, Mapping) and "Statement" in each:
                yield (*path, key), each
            else:
                yield from policies(each, (*path, key))


def malformed(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the document with each fault of its first statement."""
    first, *rest = document["Statement"]
    changes: dict[str, dict[str, Any]] = {
        "policy: no such effect": {**first, "Effect": "Maybe"},
        "policy: no such field": {**first, "Actions": "s3:GetObject"},
        "policy: action without a service": {**first, "Action": "GetObject"},
        "policy: no action": {key: each for key, each in first.items() if key != "Action"},
        "policy: no such operator": {**first, "Condition": {"StringMatches": {"aws:SourceAccount": "1"}}},
    }
    if "Principal" in first:
        changes["policy: no principal"] = {key: each for key, each in first.items() if key != "Principal"}
        changes["policy: no such service"] = {**first, "Principal": {"Service": "nothing.amazonaws.com"}}
        missing = {"AWS": "arn:aws:iam::123456789012:role/missing-role"}
        changes["policy: no such role"] = {**first, "Principal": missing}
    yield "policy: no such version", {**document, "Version": "2025-01-01"}
    yield "policy: no statement", {**document, "Statement": []}
    for kind, changed in changes.items():
        yield kind, {**document, "Statement": [changed, *rest]}
