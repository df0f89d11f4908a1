"""The account of a running local_aws, for what fakes cannot show."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from local_aws.daemon import start
from operations.account import Account


@contextmanager
def running_account(folder: Path) -> Iterator[Account]:
    """Start local_aws with its state in `folder`, and stop it."""
    running = start(folder)
    try:
        yield Account(
            boto3.session.Session("123456789012", running.secret, region_name="us-east-1"), running.endpoint
        )
    finally:
        running.stop()
