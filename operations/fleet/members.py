"""The environments of a change: those that are deployed, in the wave that has their name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from operations.account import Account
from operations.catalogue import SAMPLE, Context
from operations.errors import OperationsError
from operations.status import root_stacks, suffix_of, tags_of


@dataclass(frozen=True)
class Member:
    """An environment: `orders-dev` is the one of the service orders in the wave dev."""

    suffix: str
    service: str
    wave: str
    stack_status: str

    @property
    def step(self) -> tuple[str, bool]:
        """What is deployed together: of a wave, the sample first, since others may share its network."""
        return self.wave, self.service != SAMPLE

    @property
    def is_busy(self) -> bool:
        """Whether CloudFormation still works on its stack."""
        return self.stack_status.endswith("_IN_PROGRESS")


def find(account: Account, waves: Sequence[str]) -> list[Member]:
    """Return the environments of the waves in their order, whatever their number, from one listing of stacks.

    Raises `OperationsError` for a wave without any: it may be misspelled.
    """
    deployed = [_member(stack) for stack in root_stacks(account)]
    names = {each.wave for each in deployed}
    if missing := [wave for wave in waves if wave not in names]:
        raise OperationsError(
            f"account {account.id} has no environment {', '.join(missing)} of any service, "
            f"only {', '.join(sorted(names)) or 'none at all'}: see `python -m operations status`"
        )
    found = [each for each in deployed if each.wave in waves]
    return sorted(found, key=lambda each: (waves.index(each.wave), each.step))


def not_deployed(members: Sequence[Member], waves: Sequence[str], context: Context) -> list[str]:
    """Return the environments of the catalogue that no wave reaches, because they are not deployed here."""
    prefixes = ["", *(f"{name}-" for name in context.get("services", {}) if name != SAMPLE)]
    found = {each.suffix for each in members}
    return [f"{prefix}{wave}" for wave in waves for prefix in prefixes if f"{prefix}{wave}" not in found]


def _member(stack: Mapping[str, Any]) -> Member:
    suffix, service = suffix_of(stack), tags_of(stack).get("service") or SAMPLE
    return Member(suffix, service, suffix.removeprefix(f"{service}-"), stack["StackStatus"])
