"""Policy evaluation: an explicit deny first, then what allows, in AWS's order.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from local_aws.iam.conditions import holds
from local_aws.iam.documents import Document, Statement
from local_aws.iam.matching import Values, matches
from local_aws.iam.principals import Caller, PrincipalMatch, match_principal

# A policy's owner, and the index of one of its statements.
StatementId = tuple[str, int]


@dataclass(frozen=True)
class Policy:
    """A document and its owner, as `role name: policy`."""

    owner: str
    document: Document

    def without(self, index: int) -> "Policy":
        """Return the policy without one of its statements."""
        return replace(self, document=self.document.without(index))


@dataclass(frozen=True)
class Policies:
    """All policies that apply to one request.

    `boundaries` are a permissions boundary and session policies: every one must allow the request. `required`
    means that the resource's policy must match the caller even in its own account, as for keys and roles.
    """

    identity: tuple[Policy, ...] = ()
    boundaries: tuple[tuple[str, tuple[Policy, ...]], ...] = ()
    resource: Policy | None = None
    required: bool = False


@dataclass(frozen=True)
class Request:
    """One action on one resource. `values` are its context keys, in lower case."""

    caller: Caller
    action: str
    resource: str
    # The account that owns the resource.
    owner: str
    values: Values

    @property
    def crosses_accounts(self) -> bool:
        """Return whether the resource is another account's."""
        return self.caller.account != self.owner


@dataclass(frozen=True)
class Decision:
    """A decision, AWS's reason for a denial, and the statements that decided."""

    allowed: bool
    reason: str
    by: tuple[StatementId, ...]


@dataclass(frozen=True)
class _Grants:
    """The statements that allow a request, and the kind of boundary that does not, if any."""

    identity: Sequence[StatementId]
    resource: Sequence[StatementId]
    match: PrincipalMatch
    missing_boundary: str

    @property
    def resource_suffices(self) -> bool:
        """Return whether the resource's policy alone allows the request in its account.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        """
        within = self.match == PrincipalMatch.PRINCIPAL and not self.missing_boundary
        return within or self.match == PrincipalMatch.EXACT

    @property
    def all(self) -> tuple[StatementId, ...]:
        return (*self.resource, *self.identity)


def decide(request: Request, policies: Policies) -> Decision:
    """Decide whether a request is allowed."""
    return _explicit_deny(request, policies) or _evaluate(request, policies)


def _explicit_deny(request: Request, policies: Policies) -> Decision | None:
    layers: list[tuple[str, Iterable[Policy], bool]] = [
        ("an identity-based policy", policies.identity, False),
        *((kind, documents, False) for kind, documents in policies.boundaries),
        ("a resource-based policy", [policies.resource] if policies.resource else [], True),
    ]
    for kind, documents, on_resource in layers:
        found = _matching(documents, request, allows=False, on_resource=on_resource)
        if found:
            return Decision(False, f"with an explicit deny in {kind}", tuple(found))
    return None


def _evaluate(request: Request, policies: Policies) -> Decision:
    grants = _grants(request, policies)
    if not request.caller.account:
        # A service or a web identity has no policies of its own.
        return _decision(bool(grants.resource), grants.resource, request, "resource-based policy")
    if request.crosses_accounts or policies.required:
        return _evaluate_both(request, grants)
    return _evaluate_either(request, grants)


def _evaluate_both(request: Request, grants: _Grants) -> Decision:
    """Decide where the resource's policy must allow too: across accounts, and for keys and roles."""
    if grants.match == PrincipalMatch.NONE:
        return _decision(False, [], request, "resource-based policy")
    if grants.resource_suffices and not request.crosses_accounts:
        return _decision(True, grants.all, request, "")
    if grants.missing_boundary:
        return _decision(False, [], request, grants.missing_boundary)
    return _decision(bool(grants.identity), grants.all, request, "identity-based policy")


def _evaluate_either(request: Request, grants: _Grants) -> Decision:
    """Decide where one policy that allows is enough: in one account."""
    if grants.resource_suffices:
        return _decision(True, grants.all, request, "")
    if grants.identity and grants.missing_boundary:
        return _decision(False, [], request, grants.missing_boundary)
    return _decision(bool(grants.identity), grants.identity, request, "identity-based policy")


def _decision(allowed: bool, by: Sequence[StatementId], request: Request, missing: str) -> Decision:
    if allowed:
        return Decision(True, "", tuple(by))
    kind = missing.removeprefix("a ")
    return Decision(False, f"because no {kind} allows the {request.action} action", ())


def _grants(request: Request, policies: Policies) -> _Grants:
    missing = (kind for kind, each in policies.boundaries if not _matching(each, request, allows=True))
    resource, match = _resource_grants(request, policies.resource)
    identity = _matching(policies.identity, request, allows=True)
    return _Grants(identity, resource, match, next(missing, ""))


def _resource_grants(request: Request, policy: Policy | None) -> tuple[list[StatementId], PrincipalMatch]:
    if policy is None:
        return [], PrincipalMatch.NONE
    grants = _matching([policy], request, allows=True, on_resource=True)
    found = [match_principal(policy.document.statements[index], request.caller) for _, index in grants]
    return grants, max(found, default=PrincipalMatch.NONE)


def _matching(
    documents: Iterable[Policy], request: Request, *, allows: bool, on_resource: bool = False
) -> list[StatementId]:
    """Return every statement of one effect that applies to the request."""
    return [
        (policy.owner, index)
        for policy in documents
        for index, statement in enumerate(policy.document.statements)
        if statement.allows == allows and _applies(statement, request, on_resource)
    ]


def _applies(statement: Statement, request: Request, on_resource: bool) -> bool:
    if on_resource and not match_principal(statement, request.caller):
        return False
    values = request.values if statement.variables else None
    return (
        _covers(
            statement.actions,
            statement.not_actions,
            lambda pattern: matches(pattern, request.action, ignore_case=True),
        )
        and _covers(
            statement.resources,
            statement.not_resources,
            lambda pattern: matches(pattern, request.resource, values),
        )
        and all(
            holds(condition, request.values, variables=statement.variables)
            for condition in statement.conditions
        )
    )


def _covers(included: Iterable[str], excluded: Iterable[str], is_match: Callable[[str], bool]) -> bool:
    """Return whether an element (`Action`) or its opposite (`NotAction`) covers the request.

    A trust policy has no Resource: it is about its own role.
    """
    return any(map(is_match, included)) if included else not any(map(is_match, excluded))
