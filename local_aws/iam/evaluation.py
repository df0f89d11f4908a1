"""The decision: explicit deny first, then what allows, in AWS's order.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from local_aws.iam.conditions import holds
from local_aws.iam.documents import Document, Statement
from local_aws.iam.matching import Values, matches
from local_aws.iam.principals import Caller, Named, applies


@dataclass(frozen=True)
class Policy:
    """A document, and whose it is: `role/name policy`, `bucket`..."""

    owner: str
    document: Document

    def without(self, index: int) -> "Policy":
        """Return the policy as it would be without one of its statements."""
        return replace(self, document=self.document.without(index))


@dataclass(frozen=True)
class Policies:
    """All that applies to one request.

    `limits` are a permissions boundary and session policies: each allows, or nothing is allowed. `required`
    says that the resource's policy must name the caller even in its own account: a key's and a role's must.
    """

    identity: tuple[Policy, ...] = ()
    limits: tuple[tuple[str, tuple[Policy, ...]], ...] = ()
    resource: Policy | None = None
    required: bool = False


@dataclass(frozen=True)
class Request:
    """One thing that is asked for. `values` are its context keys, in lower case."""

    caller: Caller
    action: str
    resource: str
    # The account whose resource it is.
    owner: str
    values: Values


@dataclass(frozen=True)
class Decision:
    """What was decided, AWS's reason when it was refused, and the statements that decided."""

    allowed: bool
    reason: str
    by: tuple[tuple[str, int], ...]


def decide(request: Request, policies: Policies) -> Decision:
    """Decide whether a request is allowed."""
    return _denied(request, policies) or _allowed(request, policies)


def _denied(request: Request, policies: Policies) -> Decision | None:
    layers: list[tuple[str, Iterable[Policy], bool]] = [
        ("an identity-based policy", policies.identity, False),
        *((kind, documents, False) for kind, documents in policies.limits),
        ("a resource-based policy", [policies.resource] if policies.resource else [], True),
    ]
    for kind, documents, on_resource in layers:
        found = _matching(documents, request, allows=False, on_resource=on_resource)
        if found:
            return Decision(False, f"with an explicit deny in {kind}", tuple(found))
    return None


def _allowed(request: Request, policies: Policies) -> Decision:
    identity = _matching(policies.identity, request, allows=True)
    granting, named = _on_resource(request, policies.resource)
    across = bool(request.caller.account) and request.caller.account != request.owner
    narrow = next((kind for kind, texts in policies.limits if not _matching(texts, request, allows=True)), "")
    if not request.caller.account:
        # A service or a web identity has no policies of its own.
        return _decision(bool(granting), granting, request, "resource-based policy")
    by_resource = named == Named.EXACTLY or (named == Named.ITSELF and not narrow)
    if across or policies.required:
        if named == Named.NOT:
            return _decision(False, [], request, "resource-based policy")
        if by_resource and not across:
            return _decision(True, [*granting, *identity], request, "")
        if narrow:
            return _decision(False, [], request, narrow)
        return _decision(bool(identity), [*granting, *identity], request, "identity-based policy")
    if by_resource:
        return _decision(True, [*granting, *identity], request, "")
    if identity and narrow:
        return _decision(False, [], request, narrow)
    return _decision(bool(identity), identity, request, "identity-based policy")


def _decision(allowed: bool, by: Sequence[tuple[str, int]], request: Request, missing: str) -> Decision:
    if allowed:
        return Decision(True, "", tuple(by))
    kind = missing.removeprefix("a ")
    return Decision(False, f"because no {kind} allows the {request.action} action", ())


def _on_resource(request: Request, policy: Policy | None) -> tuple[list[tuple[str, int]], Named]:
    if policy is None:
        return [], Named.NOT
    granting = _matching([policy], request, allows=True, on_resource=True)
    ways = [applies(policy.document.statements[index], request.caller) for _, index in granting]
    return granting, max(ways, default=Named.NOT)


def _matching(
    documents: Iterable[Policy], request: Request, *, allows: bool, on_resource: bool = False
) -> list[tuple[str, int]]:
    """Return owner and number of every statement of one effect that the request meets."""
    return [
        (policy.owner, index)
        for policy in documents
        for index, statement in enumerate(policy.document.statements)
        if statement.allows == allows and _meets(statement, request, on_resource)
    ]


def _meets(statement: Statement, request: Request, on_resource: bool) -> bool:
    if on_resource and not applies(statement, request.caller):
        return False
    values = request.values if statement.variables else None
    acts = statement.actions or statement.not_actions
    if any(matches(each, request.action, ignore_case=True) for each in acts) != bool(statement.actions):
        return False
    things = statement.resources or statement.not_resources
    # A trust policy has no Resource: it is about the role that has it.
    if things and any(matches(each, request.resource, values) for each in things) != bool(
        statement.resources
    ):
        return False
    return all(
        holds(condition, request.values, variables=statement.variables) for condition in statement.conditions
    )
