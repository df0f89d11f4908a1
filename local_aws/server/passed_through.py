"""The operations that MiniStack answered: their requests may be checked, their answers are not.

The other two classes are the operations of `api_coverage` and of load balancers, which are checked, and those
that are `UnsupportedOperation`.
"""

from collections.abc import Mapping
from typing import Any

from local_aws.iam.request_parser import HttpRequest, WrongScopeError, parse_call

# MiniStack's names of its services whose requests are checked.
CHECKED = frozenset({"elasticloadbalancing"})


class PassedThrough:
    """The operations, as `sns:Publish`."""

    def __init__(self) -> None:
        self._used: set[str] = set()

    def record(
        self, service: str, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
    ) -> None:
        """Record one call that MiniStack answered."""
        request = HttpRequest(method, path, query, headers, body)
        try:
            call = parse_call(request, service)
        except WrongScopeError:
            return
        self._used.add(f"{call.service}:{call.operation}")

    def operations(self) -> list[str]:
        """Return the operations that were used so far."""
        return sorted(self._used)
