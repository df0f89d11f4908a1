"""Environments on one local_aws, work on several of them at once, and how long it takes."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import TypeVar

from harness.cloud import Cloud
from harness.progress import Progress
from harness.scenario import Scenario
from harness.suffixes import random_suffix

Item = TypeVar("Item")


def new_scenario(cloud: Cloud) -> Scenario:
    """Return the scenario of a new environment, which prints nothing.

    On other threads than other scenarios, it needs a cloud of its own, which has its own clients.
    """
    return Scenario(cloud, random_suffix("b"), Progress(lambda _: None, cloud.time_scale))


def timed(work: Callable[[], object]) -> float:
    """Do some work; return its seconds."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def each(
    items: Iterable[Item],
    work: Callable[[Item], object],
    at_once: int,
    stop: Callable[[], None] = lambda: None,
) -> None:
    """Do `work` on each item, `at_once` at a time, and raise the first failure.

    After a failure or an interrupt, it begins no other, calls `stop`, and waits for what has begun.
    """
    pool = ThreadPoolExecutor(at_once)
    futures = [pool.submit(work, item) for item in items]
    try:
        wait(futures, return_when=FIRST_EXCEPTION)
    finally:
        stop()
        pool.shutdown(cancel_futures=True)
    for done in futures:
        if not done.cancelled():
            done.result()
