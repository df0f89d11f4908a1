"""Why the newest release failed, as `operations why` says it."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from harness.cloud import Cloud
from harness.dashboard.pipeline_state import Part
from operations.names import Names
from operations.why import explain_execution
from operations.why.executions import ACTIVE

SECONDS = 10.0
# A log arrives some seconds after its failure: only then is the reason complete.
SETTLED_SECONDS = 120.0


class Failure:
    """The explanation of the newest release of an environment, read again until it can change no more."""

    def __init__(self, cloud: Cloud, suffix: str) -> None:
        self.cloud = cloud
        self.names = Names(suffix)
        self._lines: tuple[str, ...] = ()
        self._of: tuple[str, str] = ("", "")
        self._read = 0.0

    def read(self, executions: Iterable[Mapping[str, Any]]) -> Part:
        """Return the lines about the newest of `executions`; none unless something in it has failed."""
        newest = next(iter(executions), None)
        if newest is None:
            return {"lines": []}
        if self._is_outdated(newest):
            explanation = explain_execution(self.cloud.account, self.names, newest)
            self._lines = explanation.lines if explanation.has_failed else ()
            self._of, self._read = _release(newest), time.time()
        return {"lines": list(self._lines)}

    def _is_outdated(self, newest: Mapping[str, Any]) -> bool:
        if _release(newest) != self._of:
            return True
        settled = newest["lastUpdateTime"].timestamp() + SETTLED_SECONDS
        is_final = newest["status"] not in ACTIVE and self._read > settled
        return not is_final and time.time() - self._read > SECONDS


def _release(execution: Mapping[str, Any]) -> tuple[str, str]:
    return str(execution["pipelineExecutionId"]), str(execution["status"])
