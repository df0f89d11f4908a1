"""Runs on AWS: the account's readiness, a time limit, and a result file for CI."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import botocore.session
from botocore.exceptions import BotoCoreError

from harness.cloud import Cloud, HarnessError
from harness.credentials import check_credentials
from harness.report.recorder import FOLDER
from operations import preflight
from operations.account import REGION
from operations.errors import OperationsError
from operations.preflight.check import Subject

Say = Callable[[str], None]


def aws_cloud(folder: Path, profile: str | None = None, *, limit: float | None = None, say: Say) -> Cloud:
    """Return AWS with the caller's credentials, or with those of a profile; tell `say` what it is about.

    Raises `HarnessError` if another endpoint is configured, or if the credentials do not last for a run of
    `limit` minutes.
    """
    _reject_other_endpoints(profile)
    unknown = check_credentials(profile, limit)
    cloud = Cloud("AWS", folder, keys={"AWS_PROFILE": profile} if profile else {})
    try:
        account = cloud.account.id
    except OperationsError as error:
        # Its advice includes AWS_ENDPOINT_URL, which is refused above.
        raise HarnessError(f"AWS does not accept the credentials: {error.__cause__}") from error
    say(
        f"Account {account}, {REGION}. An environment takes one to two hours and costs money:\n"
        "a NAT gateway, a load balancer and Fargate tasks, less than 1 USD if it is destroyed.\n"
        "If this is interrupted, run: python -m operations destroy SUFFIX"
    )
    if unknown:
        say(unknown)
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
def time_limit(minutes: float | None, say: Say) -> Iterator[None]:
    """End the run after so many minutes, as Ctrl-C does: the environments are destroyed."""

    def end() -> None:
        say(f"\nthe time limit of {minutes:g} minutes has passed: destroying the environments")
        os.kill(os.getpid(), signal.SIGTERM)

    timer = threading.Timer((minutes or 0) * 60, end)
    timer.daemon = True
    if minutes is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()
