"""Counts the error codes that operations declare: reached by a wrong call, explained, or neither."""

from collections.abc import Iterable
from dataclasses import dataclass

from unit_tests.local_aws.fidelity.explanations import EXPLANATIONS
from unit_tests.local_aws.fidelity.services import SUITES
from unit_tests.local_aws.fidelity.suite import Suite

Code = tuple[str, str]


@dataclass(frozen=True)
class Coverage:
    """The codes of a service, each with its operation."""

    service: str
    operations: int
    declared: frozenset[Code]
    reached: frozenset[Code]
    explained: frozenset[Code]

    @property
    def neither(self) -> frozenset[Code]:
        """The codes that no call gets, and for which there is no reason."""
        return self.declared - self.reached - self.explained


def coverage(suite: Suite) -> Coverage:
    """Return the coverage of a service by its suite, each of whose calls a test makes."""
    declared = frozenset(suite.declared())
    reached = frozenset((call.operation, call.code) for call in suite.calls()) & declared
    explained = frozenset(
        (operation, code) for operation, code in declared - reached if reason(suite.service, operation, code)
    )
    return Coverage(suite.service, len(suite.operations), declared, reached, explained)


def reason(service: str, operation: str, code: str) -> str:
    """Return why a code of an operation cannot be reached, or nothing."""
    found = (each for each in EXPLANATIONS if each.service == service and each.covers(operation, code))
    return next((each.reason for each in found), "")


def table(suites: Iterable[Suite] = SUITES) -> str:
    """Return the table of all services, as Markdown."""
    lines = [
        "| service | operations | codes declared | reached | explained | neither |",
        "|---|---|---|---|---|---|",
    ]
    found = [coverage(suite) for suite in suites]
    lines += [_row(each.service, [each]) for each in found]
    return "\n".join([*lines, _row("all", found), ""])


def _row(name: str, found: list[Coverage]) -> str:
    columns = [
        sum(each.operations for each in found),
        *(
            sum(len(getattr(each, column)) for each in found)
            for column in ("declared", "reached", "explained", "neither")
        ),
    ]
    return f"| {name} | {' | '.join(map(str, columns))} |"
