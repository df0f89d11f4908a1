"""Every environment of the account, as `operations status` reads it, as a page without scripts."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from harness.cloud import Cloud
from harness.report.pages import templates
from operations import status
from operations.status import Environment

TEMPLATE = "fleet.html.jinja"
# For so long, further readers get the same reading, which takes some calls for each environment.
SECONDS = 15.0


class Fleet:
    """The environments, read again at most every `SECONDS`, however many readers there are."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self._lock = threading.Lock()
        self._environments: list[Environment] = []
        self._read: float | None = None
        self._at = datetime.now(UTC)

    def read(self) -> list[Environment]:
        """Return the environments, by their suffix. Raises what a call to AWS raises."""
        with self._lock:
            if self._read is None or time.monotonic() - self._read > SECONDS:
                self._environments = status.fleet(self.cloud.account)
                self._read, self._at = time.monotonic(), datetime.now(UTC)
            return self._environments

    def has(self, suffix: str) -> bool:
        """Return whether there is an environment of this name."""
        return any(each.suffix == suffix for each in self.read())

    def page(self) -> str:
        """Return the page. Text from commits and from AWS is escaped."""
        found = self.read()
        account = self.cloud.account
        return (
            templates(Path(__file__).parent)
            .get_template(TEMPLATE)
            .render(
                environments=found,
                findings=sum(each.has_finding for each in found),
                cloud=self.cloud.name,
                place=f"account {account.id}, {account.region}",
                at=f"{self._at:%Y-%m-%d %H:%M:%S}",
            )
        )
