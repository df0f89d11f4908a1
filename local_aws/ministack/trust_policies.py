"""Rejects malformed policies, and trust policies whose principal does not exist, as IAM does (pitfall M2)."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from local_aws.core.policy_grammar import Document, identity_violation, trust_violation
from local_aws.ministack import iam as stored
from local_aws.ministack.compat import require

evaluator = require("core.iam_evaluator", "validate_policy_document")
provisioners = require("services.cloudformation.provisioners", "_validate_iam_role_trust_policy")

_ENTITY = re.compile(r"arn:aws:iam::(\d{12}):(role|user)/(?:.+/)?([^/]+)")


class Statement(Protocol):
    """A statement of a parsed policy document."""

    @property
    def principals(self) -> Mapping[str, tuple[str, ...]] | None:
        """The values of Principal by their type (`AWS`, `Service`...)."""


class PolicyDocument(Protocol):
    """A parsed policy document."""

    @property
    def statements(self) -> Sequence[Statement]:
        """Its statements."""


Parse = Callable[[str], PolicyDocument]


def patch_policy_validation(parse: Parse, is_service: Callable[[str], bool]) -> None:
    """Check every policy, of IAM's API and of CloudFormation.

    `parse` reads a policy document, `is_service` knows the principals of services.
    """
    original, check_role, store_policy = (
        stored.iam._trust_policy_not_principal_error,
        provisioners._validate_iam_role_trust_policy,
        stored.iam.store_policy,
    )

    def trust_error(document: Document) -> str | None:
        found = trust_violation(document, is_service)
        return found or original(document) or missing_principal(document, parse)

    def check_role_policies(properties: Mapping[str, Any]) -> None:
        check_role(properties)
        for policy in properties.get("Policies") or []:
            _check(policy.get("PolicyDocument"))

    def store(arn: str, name: str, path: str, document: Document, **more: Any) -> Any:
        _check(document, managed=True)
        return store_policy(arn, name, path, document, **more)

    stored.iam._trust_policy_not_principal_error = trust_error
    # MiniStack's operations import it when they run.
    evaluator.validate_policy_document = identity_violation
    provisioners._validate_iam_role_trust_policy = check_role_policies
    stored.iam.store_policy = store
    for operation, function in (
        ("CreatePolicy", "_create_policy"),
        ("CreatePolicyVersion", "_create_policy_version"),
    ):
        # IAM's API calls the handler, CloudFormation the function.
        checking = _checking(stored.iam._IAM_HANDLERS[operation])
        stored.iam._IAM_HANDLERS[operation] = checking
        setattr(stored.iam, function, checking)


def _checking(operation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return an operation of IAM that refuses a malformed managed policy."""

    def respond(parameters: Any) -> Any:
        violation = identity_violation(stored.iam._p(parameters, "PolicyDocument"), managed=True)
        if violation is not None:
            return stored.iam._error(400, "MalformedPolicyDocument", violation, ns="iam")
        return operation(parameters)

    return respond


def _check(document: Document, *, managed: bool = False) -> None:
    """Raise ValueError for a malformed identity policy in a template."""
    violation = identity_violation(document, managed=managed)
    if violation is not None:
        raise ValueError(violation)


def missing_principal(document: Document, parse: Parse) -> str | None:
    """Return IAM's error message for the first role or user that does not exist, or None.

    IAM stores a principal's unique id, so the principal must exist; an account as principal is not checked.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    text = document if isinstance(document, str) else json.dumps(document or {})
    for statement in parse(text).statements:
        for name in (statement.principals or {}).get("AWS", ()):
            found = _ENTITY.fullmatch(name)
            if found and (stored.role if found[2] == "role" else stored.user)(found[1], found[3]) is None:
                return f'Invalid principal in policy: "AWS":"{name}"'
    return None
