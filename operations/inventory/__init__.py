"""Every thing of every kind that our stacks make, or that running them leaves behind."""

from collections.abc import Callable, Iterator, Mapping

from operations.account import Account
from operations.inventory import delivery, identity, network, runtime, stacks, telemetry
from operations.ownership import Thing

KINDS: Mapping[str, Callable[[Account], Iterator[Thing]]] = {
    **stacks.KINDS,
    **network.KINDS,
    **runtime.KINDS,
    **delivery.KINDS,
    **identity.KINDS,
    **telemetry.KINDS,
}
