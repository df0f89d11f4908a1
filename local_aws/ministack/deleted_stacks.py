"""Saves deleted stacks with their events: they are described by their ids, and never change again.

In a local_aws that deploys often, they are most of CloudFormation's state: each is pickled once, not with
every change that a caller waits for.
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
"""

import pickle
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from local_aws.core import pickling
from local_aws.core.concurrent_mutation import retry_on_concurrent_mutation
from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_stacks", "_stack_events")

DELETED = "DELETE_COMPLETE"
# Account, region, and the id of a stack: the keys of the store of events.
Key = tuple[str, str, str]


class DeletedStacks:
    """The deleted stacks that still have their name to themselves, each as a pickle with its events."""

    lock: AbstractContextManager[Any] = nullcontext()

    def __init__(self) -> None:
        self._pickles: Mapping[Key, bytes] = {}

    def to_snapshot(self) -> Mapping[str, Any]:
        """Return them; `others` leaves them out until the next call."""
        self._pickles = retry_on_concurrent_mutation(self._collect)()
        return {"stacks": self._pickles}

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Add them to the stacks that were restored before, whose records go before those of the same names.

        local_aws may have been killed between the two files: the other one still had the stack's deletion.
        """
        stacks, restored = cloudformation._stacks._data, dict[Key, bytes]()
        for key, pickled in snapshot["stacks"].items():
            name, stack, events = pickling.loads(pickled)
            if stacks.setdefault((*key[:2], name), stack) is stack:
                cloudformation._stack_events._data[key] = events
                restored[key] = pickled
        self._pickles = restored

    def shared(self) -> Mapping[str, Any]:
        """Share nothing with our own services."""
        return {}

    def others(self) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Return the stacks, and the events, that the last snapshot of this left out."""
        stacks, events = cloudformation._stacks._data, cloudformation._stack_events._data
        return (
            {
                key: stack
                for key, stack in stacks.items()
                if (*key[:2], stack["StackId"]) not in self._pickles
            },
            {key: found for key, found in events.items() if key not in self._pickles},
        )

    def _collect(self) -> dict[Key, bytes]:
        found = {}
        for (account, region, name), stack in cloudformation._stacks._data.items():
            key = (account, region, stack["StackId"])
            if key in self._pickles:
                found[key] = self._pickles[key]
                continue
            events = cloudformation._stack_events._data.get(key, ())
            if stack.get("StackStatus") == DELETED and _has_ended(stack["StackId"], events):
                found[key] = pickle.dumps((name, stack, events))
        return found


def _has_ended(stack_id: str, events: Sequence[Mapping[str, str]]) -> bool:
    """Return whether the stack's own last event is there: it is added after the status was set."""
    last = events[-1] if events else {}
    return last.get("PhysicalResourceId") == stack_id and last.get("ResourceStatus") == DELETED
