"""Nothing outlives a server that is killed with SIGKILL."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_aws.host.process_tags import INSTANCE_VARIABLE
from local_aws.host.reaper import processes, reap

# A minimal server: it starts a child, and a grandchild in its own session, reports that, and waits.
SERVER = textwrap.dedent(
    """
    import os, subprocess, sys, time
    from local_aws.host import reaper
    from local_aws.host.process_tags import INSTANCE_VARIABLE

    instance, watched = sys.argv[1], sys.argv[2] == "watched"
    cleanup = [sys.executable, "-c", "import sys; open(sys.argv[1], 'w')", *sys.argv[3:]]
    handle = reaper.start(instance, cleanup, 10) if watched else None
    tree = "import subprocess as s, time; s.Popen(['sleep', '60'], start_new_session=True); time.sleep(60)"
    subprocess.Popen([sys.executable, "-c", tree], env={**os.environ, INSTANCE_VARIABLE: instance})
    while len(list(reaper.processes(instance))) < 2:
        time.sleep(0.02)
    print("ready", flush=True)
    time.sleep(60)
    """
)


@pytest.fixture
def instance() -> Iterator[str]:
    made = uuid.uuid4().hex
    yield made
    reap(made)


def kill_server(instance: str, watched: str, cleaned: Path = Path(os.devnull)) -> None:
    command = [sys.executable, "-c", SERVER, instance, watched, str(cleaned)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as server:  # noqa: S603 - our own text
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        assert len(list(processes(instance))) == 2
        server.send_signal(signal.SIGKILL)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_the_reaper_kills_every_process_of_a_killed_server_in_any_session(instance: str) -> None:
    kill_server(instance, "watched")
    assert wait_until(lambda: not list(processes(instance)))


def test_the_reaper_runs_the_cleanup_command_after_the_last_process(instance: str, tmp_path: Path) -> None:
    kill_server(instance, "watched", tmp_path / "cleaned")
    assert wait_until((tmp_path / "cleaned").exists)
    assert not list(processes(instance))


def test_without_the_reaper_they_stay(instance: str) -> None:
    kill_server(instance, "alone")
    time.sleep(1)
    assert len(list(processes(instance))) == 2


def test_processes_of_another_instance_stay(instance: str) -> None:
    other = subprocess.Popen(["sleep", "60"], env={**os.environ, INSTANCE_VARIABLE: "other" + instance})  # noqa: S607
    try:
        reap(instance)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_server_stops_with_its_parent_even_when_that_is_killed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    state = tmp_path_factory.mktemp("state")
    parent = textwrap.dedent(
        f"""
        import json, time
        from pathlib import Path
        from local_aws.daemon import start
        running = start(Path({str(state)!r}))
        print(json.dumps([running.pid, running.instance]), flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdout is not None
        pid, instance = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not alive(pid), 20)
    assert not list(processes(instance))
    assert not (state / "endpoint.json").exists()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
