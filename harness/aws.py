"""Runs on AWS: the account's readiness, a time limit, and a result file for CI."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import botocore.session
from botocore.exceptions import BotoCoreError

from harness.cloud import Cloud, HarnessError
from harness.report.recorder import FOLDER
from operations import preflight
from operations.account import REGION
from operations.preflight.check import Subject


def aws_cloud(folder: Path, profile: str | None = None) -> Cloud:
    """Return AWS with the caller's credentials, or with those of a profile.

    Raises `HarnessError` if another endpoint is configured, `OperationsError` without credentials.
    """
    _reject_other_endpoints(profile)
    cloud = Cloud("AWS", folder, keys={"AWS_PROFILE": profile} if profile else {})
    print(
        f"Account {cloud.account.id}, {REGION}. An environment takes about an hour and costs money:\n"
        "a NAT gateway, a load balancer and Fargate tasks, less than 1 USD if it is destroyed.\n"
        "If this is interrupted, run: python -m operations destroy SUFFIX",
        file=sys.stderr,
    )
    return cloud


def _reject_other_endpoints(profile: str | None) -> None:
    """Raise `HarnessError` if a variable or the profile sends calls elsewhere, or the profile does not exist.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    for name in sorted(os.environ):
        if name == "AWS_ENDPOINT_URL" or name.startswith("AWS_ENDPOINT_URL_"):
            raise HarnessError(f"--live runs on AWS, but {name} is set: unset it")
    try:
        settings = botocore.session.Session(profile=profile).get_scoped_config()
    except BotoCoreError as error:
        raise HarnessError(f"{error}: `aws configure list-profiles` lists the profiles") from error
    for name in sorted({"endpoint_url", "services"} & set(settings)):
        raise HarnessError(f"--live runs on AWS, but the profile sets {name}: use a profile without it")


def check_ready(cloud: Cloud, suffix: str) -> None:
    """Raise `HarnessError` with a line for each problem that would fail the scenarios midway."""
    found = preflight.inspect(Subject(suffix, cloud.account))
    if found.errors:
        lines = "\n".join(f"  {check.name}: {check.found}. {check.remedy}" for check in found.errors)
        raise HarnessError(f"the account {cloud.account.id} is not ready, nothing was deployed:\n{lines}")


def junit_path() -> Path:
    """Return the path of the test results for CI."""
    FOLDER.mkdir(exist_ok=True)
    return FOLDER / f"junit-{time.strftime('%Y%m%d-%H%M%S')}.xml"


@contextmanager
def time_limit(minutes: float | None) -> Iterator[None]:
    """End the run after so many minutes, as Ctrl-C does: the environments are destroyed."""

    def end() -> None:
        print(
            f"\nthe time limit of {minutes:g} minutes has passed: destroying the environments",
            file=sys.stderr,
        )
        os.kill(os.getpid(), signal.SIGTERM)

    timer = threading.Timer((minutes or 0) * 60, end)
    timer.daemon = True
    if minutes is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
