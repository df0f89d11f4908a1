"""Every kind of resource that the stacks create, or that a running environment creates."""

from collections.abc import Callable, Iterator, Mapping

from operations.account import Account
from operations.inventory import delivery, identity, network, runtime, stacks, telemetry
from operations.ownership import Resource

KINDS: Mapping[str, Callable[[Account], Iterator[Resource]]] = {
    **stacks.KINDS,
    **network.KINDS,
    **runtime.KINDS,
    **delivery.KINDS,
    **identity.KINDS,
    **telemetry.KINDS,
}
