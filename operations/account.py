"""One AWS account and region seen through boto3; the endpoint comes from AWS_ENDPOINT_URL."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operations.errors import OperationsError

Item = TypeVar("Item")

# Every stack is deployed to this region.
REGION = "us-east-1"


class Account:
    """The account of the credentials in us-east-1, or that of `session`, on AWS or at `endpoint`."""

    def __init__(self, session: Any = None, endpoint: str | None = None) -> None:
        self.session = session or boto3.session.Session(region_name=REGION)
        self.endpoint = endpoint
        self._clients: dict[str, Any] = {}

    @property
    def id(self) -> str:
        """The account id."""
        return self.identity["Account"]

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """The caller. Raises OperationsError without credentials."""
        try:
            found: Mapping[str, str] = self.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise OperationsError(
                f"AWS does not answer: {error}. Set credentials and a region, or AWS_ENDPOINT_URL"
            ) from error
        return found

    @property
    def region(self) -> str:
        """The region of every client."""
        return str(self.session.region_name)

    def client(self, service: str) -> Any:
        """Return the boto3 client of `service`."""
        if service not in self._clients:
            # Adaptive: once AWS throttles a call, the client slows down by itself.
            config = Config(retries={"mode": "adaptive", "total_max_attempts": 5})
            self._clients[service] = self.session.client(service, endpoint_url=self.endpoint, config=config)
        return self._clients[service]

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        """Yield the items under `key` of all pages of a boto3 operation.

        Raises `OperationsError` if there are more pages and boto3 has no paginator.
        """
        client = self.client(service)
        if client.can_paginate(operation):
            for page in client.get_paginator(operation).paginate(**arguments):
                yield from page.get(key, [])
            return
        page = getattr(client, operation)(**arguments)
        if more := _next_token(page):
            raise OperationsError(f"{service} {operation} has more pages ({more}), which boto3 cannot fetch")
        yield from page.get(key, [])


def _next_token(page: dict[str, Any]) -> str | None:
    return next((name for name in ("NextToken", "nextToken", "NextMarker") if page.get(name)), None)


def code_of(error: ClientError) -> str:
    """Return AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield `items` in batches of `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
