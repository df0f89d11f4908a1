"""CPUUtilization: the CPU time of the tasks' processes, of what their tasks reserve."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local_aws.host.process_times import cpu_seconds
from local_aws.services.ecs.records import Task
from local_aws.services.ecs.utilization import Utilization

# A child of the process does the work, as a worker of gunicorn does.
BUSY = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])"
IDLE = "import time; time.sleep(600)"


@pytest.fixture
def processes() -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    started = {
        name: subprocess.Popen([sys.executable, "-c", code], process_group=0)  # noqa: S603 - our own code
        for name, code in (("busy", BUSY), ("idle", IDLE))
    }
    yield started
    for one in started.values():
        subprocess.run(["kill", "-9", "--", f"-{one.pid}"], check=True)  # noqa: S603, S607 - our own processes
        one.wait()


def utilization(pids: dict[str, int]) -> Utilization:
    """Return the metric of a service with a running task of 0.25 vCPU for each process."""
    content: dict[str, Any] = {"lastStatus": "RUNNING"}
    tasks = [Task({**content, "taskArn": name}, {"cpu": "256"}) for name in pids]
    ecs: Any = SimpleNamespace(
        tasks_of=lambda _service: tasks, processes={name: [pid] for name, pid in pids.items()}
    )
    service: Any = SimpleNamespace()
    return Utilization(ecs, service)


def test_each_task_counts_with_the_processes_below_its_own(
    processes: dict[str, subprocess.Popen[bytes]],
) -> None:
    metric = utilization({name: process.pid for name, process in processes.items()})
    deadline = time.monotonic() + 10
    while cpu_seconds(processes["busy"].pid) < 0.3 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert metric.percentages() == [], "nothing is known of a first look"
    time.sleep(0.5)
    busy, idle = metric.percentages()
    # All of a CPU, or what a busy machine leaves of it, of which the task reserves a quarter.
    assert busy > 20
    assert idle < 10


def test_the_processes_below_are_found_without_the_kernels_list_of_children(
    processes: dict[str, subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    deadline = time.monotonic() + 10
    while cpu_seconds(processes["busy"].pid) < 0.3 and time.monotonic() < deadline:
        time.sleep(0.05)
    read = Path.read_text

    def without(path: Path, *arguments: Any) -> str:
        if path.name == "children":
            raise FileNotFoundError(path)
        return read(path, *arguments)

    monkeypatch.setattr(Path, "read_text", without)
    assert cpu_seconds(processes["busy"].pid) >= 0.3


def test_a_task_that_has_ended_uses_nothing(processes: dict[str, subprocess.Popen[bytes]]) -> None:
    assert cpu_seconds(2**22 + 1) == 0
    assert cpu_seconds(processes["idle"].pid) >= 0
