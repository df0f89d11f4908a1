"""Deploy prepared environments in waves, and stop at the first failure."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError

from operations import listener_drift
from operations.account import Account
from operations.errors import OperationsError
from operations.fleet import Prepared
from operations.fleet.cdk import Cdk

State: TypeAlias = Literal["deployed", "unchanged", "failed", "not begun"]
Log = Callable[[str], None]
# A release with the longest canary and the bake time of its alarms has ended by then.
RELEASE_MINUTES = 60.0


@dataclass(frozen=True)
class Outcome:
    """What became of an environment."""

    suffix: str
    wave: str
    state: State
    seconds: float = 0.0
    reason: str = ""


class Waves:
    """Deploys one wave after another, `at_once` environments at a time.

    Of a wave, the environment of the sample is first: others may share its network. After a failure, those
    that are being deployed end, and no other is begun. To resume, prepare and deploy again: what is deployed
    has no differences then.
    """

    def __init__(self, cdk: Cdk, account: Account, log: Log, *, at_once: int) -> None:
        self.cdk = cdk
        self.account = account
        self.log = log
        self.at_once = at_once
        self._stopped = threading.Event()

    def deploy(self, prepared: Sequence[Prepared]) -> list[Outcome]:
        """Return what became of each environment, in their order."""
        outcomes: list[Outcome] = []
        for _, step in groupby(prepared, key=lambda each: each.member.step):
            with ThreadPoolExecutor(self.at_once) as pool:
                try:
                    outcomes += pool.map(self._one, step)
                except BaseException:
                    self._stopped.set()
                    raise
        return outcomes

    def _one(self, each: Prepared) -> Outcome:
        suffix, wave = each.suffix, each.member.wave
        if self._stopped.is_set():
            return Outcome(suffix, wave, "not begun")
        if not each.differences:
            return Outcome(suffix, wave, "unchanged")
        began = time.monotonic()
        try:
            self._deploy(each)
        except (OperationsError, BotoCoreError, ClientError) as error:
            self._stopped.set()
            self.log(f"{suffix}: {error}")
            return Outcome(suffix, wave, "failed", time.monotonic() - began, str(error))
        return Outcome(suffix, wave, "deployed", time.monotonic() - began)

    def _deploy(self, each: Prepared) -> None:
        self._check_listeners(each.suffix)
        self.log(f"{each.suffix}: deploying")
        self.cdk.deploy(each.suffix, each.assembly)
        self._check_listeners(each.suffix)
        self.log(f"{each.suffix}: deployed")

    def _check_listeners(self, suffix: str) -> None:
        """Raise unless the listeners point to what CodeDeploy released last (pitfall C5)."""
        listener_drift.wait_for_deployments(suffix, self.account, RELEASE_MINUTES)
        drifted = listener_drift.inspect(suffix, self.account).drifted
        if drifted:
            routes = " and ".join(each.route for each in drifted)
            raise OperationsError(
                f"the {routes} listener has drifted: see `python -m operations drift {suffix} --repair`"
            )
