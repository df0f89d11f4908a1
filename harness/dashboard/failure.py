"""Why the newest release failed, as `operations why` says it."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from harness.cloud import Cloud
from harness.dashboard.pipeline_state import Part
from operations.names import Names
from operations.why import explain_execution

# A log arrives some seconds after its failure: until then, the reason is not complete.
SECONDS = 30.0


class Failure:
    """The explanation of the newest release of an environment; one that has ended is read twice a minute."""

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
        release = (str(newest["pipelineExecutionId"]), str(newest["status"]))
        if release != self._of or time.monotonic() - self._read > SECONDS:
            explanation = explain_execution(self.cloud.account, self.names, newest)
            self._lines = explanation.lines if explanation.has_failed else ()
            self._of, self._read = release, time.monotonic()
        return {"lines": list(self._lines)}
