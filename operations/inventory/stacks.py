"""The CloudFormation stacks, nested ones included."""

from collections.abc import Callable, Iterator, Mapping

from operations.account import Account
from operations.ownership import Resource


def stacks(account: Account) -> Iterator[Resource]:
    """Yield the stacks that are not deleted; AWS lists deleted ones for 90 days."""
    for stack in account.pages("cloudformation", "list_stacks", "StackSummaries"):
        if stack["StackStatus"] != "DELETE_COMPLETE":
            yield Resource("CloudFormation stack", stack["StackName"], note=stack["StackStatus"])


KINDS: Mapping[str, Callable[[Account], Iterator[Resource]]] = {"CloudFormation stacks": stacks}
