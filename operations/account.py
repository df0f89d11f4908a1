"""One AWS account and region seen through boto3; the endpoint comes from AWS_ENDPOINT_URL."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operations.errors import OperationsError

Item = TypeVar("Item")

# The product lives in one region.
REGION = "us-east-1"


class Account:
    """The caller's account in us-east-1, or the one that `session` gives, on AWS or at `endpoint`."""

    def __init__(self, session: Any = None, endpoint: str | None = None) -> None:
        self.session = session or boto3.session.Session(region_name=REGION)
        self.endpoint = endpoint
        self._clients: dict[str, Any] = {}

    @property
    def id(self) -> str:
        """The twelve digits."""
        return self.identity["Account"]

    @cached_property
    def identity(self) -> Mapping[str, str]:
        """Who calls; the first call, so it is here that missing credentials show."""
        try:
            found: Mapping[str, str] = self.client("sts").get_caller_identity()
        except (BotoCoreError, ClientError) as error:
            raise OperationsError(
                f"AWS does not answer: {error}. Give credentials and a region, or AWS_ENDPOINT_URL"
            ) from error
        return found

    @property
    def region(self) -> str:
        """The region that every client asks."""
        return str(self.session.region_name)

    def client(self, service: str) -> Any:
        """Return the boto3 client of `service`, made once."""
        if service not in self._clients:
            config = Config(retries={"mode": "standard", "total_max_attempts": 5})
            self._clients[service] = self.session.client(service, endpoint_url=self.endpoint, config=config)
        return self._clients[service]

    def pages(self, service: str, operation: str, key: str, **arguments: Any) -> Iterator[Any]:
        """Yield every item under `key` of every page of `operation` (its name in boto3).

        Raises `OperationsError` where AWS says that there is more and boto3 has no paginator to fetch it.
        """
        client = self.client(service)
        if client.can_paginate(operation):
            for page in client.get_paginator(operation).paginate(**arguments):
                yield from page.get(key, [])
            return
        page = getattr(client, operation)(**arguments)
        if more := _token(page):
            raise OperationsError(
                f"{service} {operation} has more pages ({more}) and boto3 cannot fetch them"
            )
        yield from page.get(key, [])


def _token(page: dict[str, Any]) -> str | None:
    return next((name for name in ("NextToken", "nextToken", "NextMarker") if page.get(name)), None)


def code_of(error: ClientError) -> str:
    """Return AWS's error code."""
    return str(error.response.get("Error", {}).get("Code", ""))


def batches(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield `items`, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
