"""What playing on AWS takes: an account that is ready, an end in time, and a record for CI."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.cloud import Cloud, HarnessError
from harness.report.recorder import FOLDER
from operations import preflight
from operations.account import REGION
from operations.preflight.check import Subject


def live(folder: Path, profile: str | None = None) -> Cloud:
    """Return AWS with the caller's credentials, or with those of a profile.

    Raises `HarnessError` when AWS_ENDPOINT_URL leads elsewhere, `OperationsError` without credentials.
    """
    if "AWS_ENDPOINT_URL" in os.environ:
        raise HarnessError("--live means AWS, but AWS_ENDPOINT_URL leads elsewhere: unset it")
    cloud = Cloud("AWS", folder, keys={"AWS_PROFILE": profile} if profile else {})
    print(
        f"Account {cloud.account.id}, {REGION}. An environment takes about an hour and costs money:\n"
        "a NAT gateway, a load balancer and Fargate tasks, below 1 USD if all is destroyed in the end.\n"
        "Should this be cut off: python -m operations destroy SUFFIX",
        file=sys.stderr,
    )
    return cloud


def check_ready(cloud: Cloud, suffix: str) -> None:
    """Raise `HarnessError` with a line for each thing that would make the scenarios fail half way."""
    found = preflight.inspect(Subject(suffix, cloud.account))
    if found.errors:
        lines = "\n".join(f"  {check.name}: {check.found}. {check.remedy}" for check in found.errors)
        raise HarnessError(f"the account {cloud.account.id} is not ready, nothing was deployed:\n{lines}")


def junit_path() -> Path:
    """Return where the results go that CI reads."""
    FOLDER.mkdir(exist_ok=True)
    return FOLDER / f"junit-{time.strftime('%Y%m%d-%H%M%S')}.xml"


@contextmanager
def time_limit(minutes: float | None) -> Iterator[None]:
    """End the scenarios after so many minutes as Ctrl-C would: what is deployed gets destroyed."""

    def end() -> None:
        print(f"\nthe time limit of {minutes:g} minutes is over: destroying what is there", file=sys.stderr)
        os.kill(os.getpid(), signal.SIGTERM)

    timer = threading.Timer((minutes or 0) * 60, end)
    timer.daemon = True
    if minutes is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
