"""CloudFormation's stacks, nested ones included."""

from collections.abc import Callable, Iterator, Mapping

from operations.account import Account
from operations.ownership import Thing


def stacks(account: Account) -> Iterator[Thing]:
    """Yield the stacks that are not deleted; AWS lists deleted ones for 90 days."""
    for stack in account.pages("cloudformation", "list_stacks", "StackSummaries"):
        if stack["StackStatus"] != "DELETE_COMPLETE":
            yield Thing("CloudFormation stack", stack["StackName"], note=stack["StackStatus"])


KINDS: Mapping[str, Callable[[Account], Iterator[Thing]]] = {"CloudFormation stacks": stacks}
