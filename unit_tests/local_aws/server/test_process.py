"""The server's process: it starts, writes its address, reports errors in one line, and cleans up."""

import gc
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.__main__ import main
from local_aws.daemon import AlreadyRunningError, PortTakenError, ServerHandle, StateLock, find, start
from local_aws.host.reaper import processes
from local_aws.server.process import serve


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerHandle]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_AWS_CONTAINERS", "processes")
        made = start(tmp_path_factory.mktemp("state"), time_scale=0.5)
    yield made
    made.stop()


def test_it_writes_its_address(running: ServerHandle) -> None:
    record = json.loads((running.state / "endpoint.json").read_text())
    assert record == {
        "endpoint": running.endpoint,
        "pid": running.pid,
        "instance": running.instance,
        "time_scale": 0.5,
        "containers": "processes (as requested)",
        "isolation": running.isolation,
    }
    assert running.endpoint.startswith("http://127.0.0.1:")
    assert running.background_errors() == []


def test_it_listens_on_loopback_only(running: ServerHandle) -> None:
    inodes = {str(link.readlink()) for link in Path(f"/proc/{running.pid}/fd").iterdir() if link.is_symlink()}
    open_ports = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{running.pid}/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            if columns[3] == "0A" and f"socket:[{columns[9]}]" in inodes:
                open_ports.append(columns[1].partition(":")[0])
    assert open_ports
    assert {address[-2:] for address in open_ports} == {"7F"}, "127.0.0.0/8 is written with its 7F last"


def test_a_detached_server_causes_no_resource_warning(tmp_path: Path) -> None:
    """Pytest turns Python's warning about a running child into an error."""
    start(tmp_path, with_parent=False, detach=True)
    gc.collect()
    server = find(tmp_path)
    assert server is not None
    assert server.stop() == []


def test_a_state_folder_has_one_server(running: ServerHandle) -> None:
    with pytest.raises(AlreadyRunningError, match="is already running"):
        serve(running.state)
    assert find(running.state) is not None


def test_a_taken_port_is_reported_in_one_line_and_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["up", "--state", str(tmp_path / "state"), "--port", str(port)]) == 2
        with pytest.raises(PortTakenError):
            serve(tmp_path / "state", port)
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"port {port} is taken" in error
    assert not (tmp_path / "state").exists()


def test_an_invalid_time_scale_is_reported_in_one_line(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "local_aws",
        "up",
        "--state",
        str(tmp_path),
        "--port",
        "0",
        "--time-scale",
        "7",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603
    assert done.returncode == 2
    assert done.stderr == (
        "local-aws up: argument --time-scale/--clock: time scale 7.0 is not in (0, 1]: 1 is real time: "
        "see local-aws up --help\n"
    )


def test_down_stops_it_and_everything_it_started(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = start(tmp_path)
    assert main(["status", "--state", str(tmp_path)]) == 0
    assert main(["down", "--state", str(tmp_path)]) == 0
    assert started.process is not None
    started.process.communicate(timeout=10)
    assert find(tmp_path) is None
    assert not list(processes(started.instance))
    assert not (tmp_path / "endpoint.json").exists()
    assert main(["status", "--state", str(tmp_path)]) == 1
    assert "stopped" in capsys.readouterr().out


def test_the_endpoint_file_of_a_killed_server_is_ignored(tmp_path: Path) -> None:
    started = start(tmp_path)
    assert started.process is not None
    started.process.send_signal(signal.SIGKILL)
    started.process.communicate()
    assert (tmp_path / "endpoint.json").exists()
    assert find(tmp_path) is None
    assert StateLock.holder(tmp_path) is None
    restarted = start(tmp_path)
    assert restarted.pid != started.pid
    restarted.stop()


@pytest.mark.parametrize("name", ["SIGHUP", "SIGQUIT"])
def test_what_it_starts_ignores_no_signal_that_it_was_started_to_ignore(name: str) -> None:
    """As a program after `nohup` and `&`: a container whose stop signal is ignored would not stop."""
    program = f"import signal; print(signal.getsignal(signal.{name}) == signal.SIG_IGN)"
    server = f"""
import asyncio, os, signal, subprocess, sys
from local_aws.server.process import keep_ignoring
signal.signal(signal.{name}, signal.SIG_IGN)
keep_ignoring(asyncio.new_event_loop())
os.kill(os.getpid(), signal.{name})
subprocess.run([sys.executable, "-c", {program!r}])
"""
    done = subprocess.run([sys.executable, "-c", server], capture_output=True, text=True, check=False)  # noqa: S603
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
