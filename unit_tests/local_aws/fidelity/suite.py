"""The wrong calls of a service: valid calls, each with one thing wrong, and the code that AWS declares.

The codes are those of each operation's page in the API reference, as botocore's model has them:
https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetBranch.html#API_GetBranch_Errors
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.model import OperationModel

from local_aws.core.api import service_model
from local_aws.core.quotas import QUOTAS
from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import (
    KEYLESS,
    MISSING,
    STRANGER,
    UNKNOWN,
    Params,
    Wrong,
    WrongCall,
    changed,
)

# Creates what the valid calls refer to; returns the values of their names.
Prepare = Callable[[Account], Mapping[str, Any]]

DENIED = "AccessDeniedException"
# The codes for an access key that does not exist, and for a signature of an earlier version.
UNRECOGNIZED, INSECURE = "UnrecognizedClientException", "InvalidSecurity"


@dataclass(frozen=True)
class Suite:
    """The wrong calls of a service.

    `valid` has a call for each operation of `operations`; a text `$name` in it is a value of `prepare`.
    `changes` are members to change of one valid call, with the code for it.
    """

    service: str
    operations: tuple[str, ...]
    valid: Mapping[str, Params]
    wrong: tuple[Wrong, ...] = ()
    changes: tuple[tuple[str, Params, str], ...] = ()
    prepare: Prepare = lambda _: {}
    # The code for a call without a required member, where it is one of all operations.
    invalid: str = ""
    # Codes that the page of the service lists, not those of its operations: each counts for those whose call
    # must get it.
    documented: frozenset[str] = frozenset()
    # The code for a caller without permission.
    denied: str = DENIED
    # The version of a signature that the service does not take any more.
    old_signature: str = ""
    # As `changes`, for calls of a user who may do everything but use keys.
    keyless: tuple[tuple[str, Params, str], ...] = ()

    def declared(self) -> set[tuple[str, str]]:
        """Return each operation with each code that it declares."""
        of_model = {(name, code) for name in self.operations for code in codes(self._model(name))}
        return of_model | {
            (call.operation, call.code) for call in self.calls() if call.code in self.documented
        }

    def calls(self) -> Iterator[WrongCall]:
        """Yield every wrong call."""
        for name in self.operations:
            for wrong in self.wrong:
                if applies(wrong, self._model(name), self.documented):
                    yield WrongCall(name, self._changed(name, {wrong.member: wrong.value}), wrong.code)
            for member in self._required(name):
                yield WrongCall(name, self._changed(name, {member: MISSING}), self.invalid)
            yield from self._valid_calls(name)
        for name, members, code in self.changes:
            yield WrongCall(name, self._changed(name, members), code)
        for name, members, code in self.keyless:
            yield WrongCall(name, self._changed(name, members), code, caller=KEYLESS)

    def _valid_calls(self, name: str) -> Iterator[WrongCall]:
        """Yield the calls that are wrong by who makes them or when: their members are right."""
        valid, declared = self.valid.get(name, {}), codes(self._model(name))
        if self.denied in declared:
            yield WrongCall(name, valid, self.denied, caller=STRANGER)
        if UNRECOGNIZED in declared:
            yield WrongCall(name, valid, UNRECOGNIZED, caller=UNKNOWN)
        if self.old_signature and INSECURE in declared:
            yield WrongCall(name, valid, INSECURE, signature=self.old_signature)
        quota = QUOTAS.get((self.service, name))
        if quota is not None:
            yield WrongCall(name, valid, quota.code, over_quota=True)

    def _model(self, operation: str) -> OperationModel:
        return service_model(self.service).operation_model(operation)

    def _required(self, operation: str) -> list[str]:
        """Return the required members that a call can lack: those not in its path or query string."""
        model = self._model(operation)
        shape = model.input_shape
        if not self.invalid or shape is None or "MissingParameter" in codes(model):
            return []
        return [
            name
            for name in shape.required_members
            if shape.members[name].serialization.get("location") not in ("uri", "querystring")
        ]

    def _changed(self, operation: str, members: Params) -> Params:
        return changed(self.valid.get(operation, {}), members)


def codes(operation: OperationModel) -> set[str]:
    """Return the codes that an operation declares, as clients see them."""
    return {shape.error_code for shape in operation.error_shapes}


def applies(wrong: Wrong, operation: OperationModel, documented: frozenset[str]) -> bool:
    """Return whether a member can be wrong in calls of an operation."""
    members = operation.input_shape.members if operation.input_shape else {}
    declared = codes(operation) | documented
    return wrong.member in members and wrong.code in declared and operation.name not in wrong.besides
