"""A log of IAM decisions: which statements were used, and which requests would fail without them."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local_aws.iam.documents import Statement
from local_aws.iam.evaluation import Decision, Policies, Policy, Request, decide

# Context keys that differ in every request: equal decisions are logged once regardless.
VOLATILE_KEYS = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:tokenissuetime",
        "aws:userid",
        "kms:encryptioncontext:aws:s3:arn",
    }
)


@dataclass
class Entry:
    """Equal requests: the policies that applied, the decision, and their count."""

    request: Request
    policies: Policies
    decision: Decision
    count: int = 0


class DecisionLog:
    """All decisions since the server started, and all policies."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Any, ...], Entry] = {}
        self._policies: dict[tuple[str, int], Policy] = {}
        self._lock = threading.Lock()

    def add_policy(self, policy: Policy) -> None:
        """Record that a policy exists, used or not."""
        self._policies.setdefault((policy.owner, id(policy.document)), policy)

    def add(self, request: Request, policies: Policies, decision: Decision) -> None:
        """Record a decision."""
        values = frozenset(item for item in request.values.items() if item[0] not in VOLATILE_KEYS)
        resource = policies.resource.document if policies.resource else None
        documents = tuple(id(policy.document) for policy in policies.identity)
        caller = request.caller.role_arn or request.caller.name
        key = (caller, request.action, request.resource, values, documents, id(resource), decision.allowed)
        with self._lock:
            for policy in (*policies.identity, *([policies.resource] if policies.resource else [])):
                self.add_policy(policy)
            self._entries.setdefault(key, Entry(request, policies, decision)).count += 1

    def report(self) -> dict[str, Any]:
        """Return every statement with its uses, and every denial."""
        with self._lock:
            entries, policies = list(self._entries.values()), list(self._policies.values())
        return {
            "requests": sum(entry.count for entry in entries),
            "kinds": len(entries),
            "statements": [about for policy in policies for about in _statements(policy, entries)],
            "refusals": [_denial(entry) for entry in entries if not entry.decision.allowed],
        }


def _statements(policy: Policy, entries: list[Entry]) -> Iterator[dict[str, Any]]:
    applied = [entry for entry in entries if _applies(policy, entry.policies)]
    for index, statement in enumerate(policy.document.statements):
        used = _use(policy, index, applied)
        yield {
            "policy": policy.owner,
            "sid": statement.sid or f"#{index}",
            "effect": "Allow" if statement.allows else "Deny",
            "granted": list(statement.actions),
            "used": used,
            "resources": list(statement.resources),
            # Whether a request would have been decided differently without the statement.
            "needed": any(_is_needed(policy, index, entry) for entry in applied),
            **_principals(statement),
        }


def _principals(statement: Statement) -> dict[str, Any]:
    principals = statement.principals
    return (
        {"principals": sorted(name for names in principals.values() for name in names)} if principals else {}
    )


def _applies(policy: Policy, policies: Policies) -> bool:
    every = (*policies.identity, *([policies.resource] if policies.resource else []))
    return any(one.owner == policy.owner and one.document is policy.document for one in every)


def _use(policy: Policy, index: int, entries: list[Entry]) -> Mapping[str, int]:
    used: dict[str, int] = {}
    for entry in entries:
        if (policy.owner, index) in entry.decision.by:
            used[entry.request.action] = used.get(entry.request.action, 0) + entry.count
    return used


def _is_needed(policy: Policy, index: int, entry: Entry) -> bool:
    """Return whether a request is decided differently without one statement of a policy."""
    if (policy.owner, index) not in entry.decision.by:
        return False
    less = policy.without(index)
    identity = tuple(less if one.owner == policy.owner else one for one in entry.policies.identity)
    resource = entry.policies.resource
    if resource is not None and resource.owner == policy.owner:
        resource = less
    mutated = replace(entry.policies, identity=identity, resource=resource)
    return decide(entry.request, mutated).allowed != entry.decision.allowed


def _denial(entry: Entry) -> dict[str, Any]:
    request = entry.request
    return {
        "principal": request.caller.name,
        "action": request.action,
        "resource": request.resource,
        "reason": entry.decision.reason,
        "count": entry.count,
    }
