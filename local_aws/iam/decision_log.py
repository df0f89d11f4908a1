"""What was asked of IAM and decided: which statement served, which never did, and which nobody would miss."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from local_aws.iam.documents import Statement
from local_aws.iam.evaluation import Decision, Policies, Policy, Request, decide

# They differ from call to call; a decision about them is remembered once.
FLEETING = frozenset(
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
    """One kind of request, with the policies that applied, and how often it came."""

    request: Request
    policies: Policies
    decision: Decision
    count: int = 0


class Ledger:
    """All decisions of one server's life, and every policy that it saw."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Any, ...], Entry] = {}
        self._policies: dict[tuple[str, int], Policy] = {}
        self._lock = threading.Lock()

    def see(self, policy: Policy) -> None:
        """Note that a policy exists, whether or not it is ever used."""
        self._policies.setdefault((policy.owner, id(policy.document)), policy)

    def add(self, request: Request, policies: Policies, decision: Decision) -> None:
        """Note a decision."""
        values = frozenset(item for item in request.values.items() if item[0] not in FLEETING)
        resource = policies.resource.document if policies.resource else None
        documents = tuple(id(policy.document) for policy in policies.identity)
        who = request.caller.role_arn or request.caller.name
        key = (who, request.action, request.resource, values, documents, id(resource), decision.allowed)
        with self._lock:
            for policy in (*policies.identity, *([policies.resource] if policies.resource else [])):
                self.see(policy)
            self._entries.setdefault(key, Entry(request, policies, decision)).count += 1

    def report(self) -> dict[str, Any]:
        """Return what the endpoint tells: statements with their use, and refusals."""
        with self._lock:
            entries, policies = list(self._entries.values()), list(self._policies.values())
        return {
            "requests": sum(entry.count for entry in entries),
            "kinds": len(entries),
            "statements": [about for policy in policies for about in _statements(policy, entries)],
            "refusals": [_refusal(entry) for entry in entries if not entry.decision.allowed],
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
            # Whether some request would have been decided otherwise without the statement.
            "needed": any(_changes(policy, index, entry) for entry in applied),
            **_also(statement),
        }


def _also(statement: Statement) -> dict[str, Any]:
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


def _changes(policy: Policy, index: int, entry: Entry) -> bool:
    """Decide a request again without one statement: a mutation of the policy that some request notices."""
    if (policy.owner, index) not in entry.decision.by:
        return False
    less = policy.without(index)
    identity = tuple(less if one.owner == policy.owner else one for one in entry.policies.identity)
    resource = entry.policies.resource
    if resource is not None and resource.owner == policy.owner:
        resource = less
    mutated = replace(entry.policies, identity=identity, resource=resource)
    return decide(entry.request, mutated).allowed != entry.decision.allowed


def _refusal(entry: Entry) -> dict[str, Any]:
    request = entry.request
    return {
        "principal": request.caller.name,
        "action": request.action,
        "resource": request.resource,
        "reason": entry.decision.reason,
        "count": entry.count,
    }
