"""Sends requests to the service at a constant rate, and records every response."""

import contextlib
import json
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil, inf
from pathlib import Path
from statistics import median
from types import TracebackType
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError

LOOPBACK = "127.0.0.1"
TIMEOUT_SECONDS = 10.0
# The window of `recent`.
WINDOW_SECONDS = 1.0
FEWEST_CONNECTIONS, MOST_CONNECTIONS = 10, 200
# Connections beside those that an even response time needs.
SPARE = 1.5
MEASURED = 3
# Of the requests that are sent: with more, nobody can say that none would have failed.
MOST_UNSENT = 0.1


@dataclass(frozen=True)
class Answer:
    """One request, sent `at` seconds after the prober's start; `error` is empty if it succeeded.

    An `unsent` one got no connection to the load balancer, because of this machine's network.
    """

    at: float
    ms: float
    fresh: bool
    status: int = 0
    version: str = ""
    error: str = ""
    unsent: bool = False


@dataclass(frozen=True)
class Figures:
    """A summary: `rate` is requests per second, `versions` and `statuses` count responses."""

    requests: int
    failures: int
    rate: float
    p50: float
    p95: float
    versions: dict[str, int]
    statuses: dict[int, int]


def connections_for(rate: float, seconds: float) -> tuple[int, int]:
    """Return how many kept and how many new connections send `rate` requests a second of `seconds` each.

    A connection sends one request at a time, so far from the service it takes more of them.
    """
    both = min(max(FEWEST_CONNECTIONS, ceil(rate * seconds * SPARE)), MOST_CONNECTIONS)
    fresh = both // 5
    return both - fresh, fresh


def seconds_of_a_request(url: str, *, verify: str | bool = True) -> float:
    """Return the median of a few requests over new connections; of those that fail, too."""
    took = []
    for _ in range(MEASURED):
        began = time.monotonic()
        with contextlib.suppress(requests.RequestException):
            requests.get(url, timeout=TIMEOUT_SECONDS, verify=verify)
        took.append(time.monotonic() - began)
    return median(took)


def through(url: str) -> str:
    """Return in words the proxy that requests to `url` use; empty without one."""
    proxy = requests.utils.get_environ_proxies(url).get(urlsplit(url).scheme)
    return f" through {proxy}, whose errors count as failed" if proxy else ""


class Prober:
    """Sends `rate` requests a second to `url`, on `connections` kept and `fresh` new connections.

    A request fails unless it gets a 200 with an X-Version within ten seconds; with `unversioned`, a response
    without the header counts as of that version. Requests without a connection, because of this machine's
    network, are `unsent`: they are neither answers nor failures. All go to `log` as lines of JSON; in memory,
    the older half is dropped above `max_answers`. `verify` names certificates to trust in place of the
    system's. `began` is the start in seconds since the epoch.
    """

    def __init__(
        self,
        url: str,
        log: Path,
        *,
        rate: float = 120,
        connections: int = 8,
        fresh: int = 2,
        verify: str | bool = True,
        unversioned: str = "",
        max_answers: float = inf,
    ) -> None:
        self.url = url
        self.unversioned = unversioned
        self.verify = verify
        self.log = log
        self.max_answers = max_answers
        self._is_local = urlsplit(url).hostname == LOOPBACK
        self.interval = (connections + fresh) / rate
        self.answers: list[Answer] = []
        self.failures: list[Answer] = []
        self.unsent: list[Answer] = []
        self._recent: deque[Answer] = deque(maxlen=int(rate * WINDOW_SECONDS * 4))
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._send_on, args=(number, number >= connections), daemon=True)
            for number in range(connections + fresh)
        ]

    def __enter__(self) -> "Prober":
        self._file = self.log.open("w")
        self.began, self._started = time.time(), time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop sending, and wait for outstanding responses."""
        self._stop.set()
        for thread in self._threads:
            thread.join(TIMEOUT_SECONDS * 2)
        self._file.close()

    @property
    def seconds(self) -> float:
        """The seconds since the start."""
        return time.monotonic() - self._started

    def recent(self) -> tuple[float, dict[str, int]]:
        """Return the requests per second and the responses by version of about the last second."""
        with self._lock:
            since = self.seconds - WINDOW_SECONDS
            latest = [answer for answer in self._recent if answer.at >= since]
        return len(latest) / WINDOW_SECONDS, Counter(answer.version for answer in latest if not answer.error)

    def versions_before(self, moment: float) -> dict[str, int]:
        """Return by version the responses that arrived in the second before `moment`, since the epoch."""
        until = moment - self.began
        arrived = (
            answer.version
            for answer in self.between(until - TIMEOUT_SECONDS - WINDOW_SECONDS, until)
            if not answer.error and until - WINDOW_SECONDS <= answer.at + answer.ms / 1000 < until
        )
        return Counter(arrived)

    def between(self, since: float, until: float = inf) -> list[Answer]:
        """Return the answers to requests sent in this interval of seconds after the start."""
        with self._lock:
            return [answer for answer in self.answers if since <= answer.at < until]

    def figures(self, since: float = 0.0) -> Figures:
        """Summarize the answers from `since` seconds after the start."""
        return figures_of(self.between(since), since)

    def last_of(self, version: str) -> float:
        """Return the seconds after the start at which `version` responded last; 0 if it never did."""
        with self._lock:
            return max((answer.at for answer in self.answers if answer.version == version), default=0.0)

    def network_problem(self) -> str:
        """Return how many requests were not sent, and why; empty if all were."""
        if not self.unsent:
            return ""
        counted = f"{len(self.unsent)} requests were not sent, beside {len(self.answers)} that were"
        return f"{counted}, because of this machine's network: {self.unsent[0].error}"

    def _send_on(self, number: int, fresh: bool) -> None:
        """Send this thread's share of the requests; after a slow response it catches up."""
        session = self._session()
        due = self._started + self.interval * number / len(self._threads)
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += self.interval
            if fresh:
                session.close()
                session = self._session()
            self._keep(self._send(session, fresh))
        session.close()

    def _session(self) -> requests.Session:
        session = requests.Session()
        # No proxy reaches loopback, and reading the environment takes half the time of a request.
        session.trust_env = not self._is_local
        return session

    def _send(self, session: requests.Session, fresh: bool) -> Answer:
        began = time.monotonic()
        at = began - self._started
        try:
            answer = session.get(self.url, timeout=TIMEOUT_SECONDS, verify=self.verify)
        except requests.RequestException as failure:
            unsent = not self._is_local and is_of_own_network(failure)
            return Answer(at, _ms_since(began), fresh, error=repr(failure), unsent=unsent)
        version = answer.headers.get("X-Version", self.unversioned)
        error = "" if answer.status_code == 200 else f"status {answer.status_code}"
        error = error or ("" if version else "no X-Version")
        return Answer(at, _ms_since(began), fresh, answer.status_code, version, error)

    def _keep(self, answer: Answer) -> None:
        with self._lock:
            if answer.unsent:
                self.unsent.append(answer)
            else:
                self.answers.append(answer)
                self._recent.append(answer)
            if answer.error and not answer.unsent:
                self.failures.append(answer)
            for kept in (self.answers, self.failures, self.unsent):
                if len(kept) > self.max_answers:
                    del kept[: len(kept) // 2]
            self._file.write(json.dumps(asdict(answer)) + "\n")


def is_of_own_network(failure: requests.RequestException) -> bool:
    """Return whether a request got no connection, and the load balancer's address did not refuse it.

    A name that does not resolve, no route, a proxy that does not answer, or a connection that takes too long.
    """
    if isinstance(failure, requests.exceptions.ProxyError | requests.exceptions.ConnectTimeout):
        return True
    cause = failure.args[0] if failure.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    return isinstance(reason, NewConnectionError) and not isinstance(reason.__cause__, ConnectionRefusedError)


def figures_of(answers: Sequence[Answer], since: float) -> Figures:
    """Summarize answers in chronological order to requests from `since` on."""
    good = [answer for answer in answers if not answer.error]
    times = sorted(answer.ms for answer in answers)
    took = max((answers[-1].at - since) if answers else 0.0, 0.001)
    return Figures(
        requests=len(answers),
        failures=len(answers) - len(good),
        rate=len(answers) / took,
        p50=percentile(times, 0.50),
        p95=percentile(times, 0.95),
        versions=dict(Counter(answer.version for answer in good)),
        statuses=dict(Counter(answer.status for answer in answers)),
    )


def _ms_since(began: float) -> float:
    return round((time.monotonic() - began) * 1000, 2)


def percentile(ordered: list[float], part: float) -> float:
    """Return a percentile of ordered values, `part` being 0 to 1; 0 without values."""
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0
