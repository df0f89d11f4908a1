"""Containers as processes: addresses, programs, signals, memory limits, and nothing left behind."""

import errno
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from local_aws.containers.engine import ContainerError, ContainerSpec, PullError
from local_aws.containers.images.network import bind_address, connect_address
from local_aws.containers.processes.container import ProcessContainer, processes_of
from local_aws.containers.processes.engine import ProcessEngine
from unit_tests.local_aws.containers.fakes import BASE, build, process_engine, project, until

SERVER = (
    "import http.server as h, sys;"
    "h.HTTPServer((sys.argv[1], 8080), h.SimpleHTTPRequestHandler).serve_forever()"
)
DETACHED = (
    "import subprocess, sys;"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(99)'], start_new_session=True)"
)
# A child that takes its share, in a session of its own, beside a parent that takes nothing.
EAT = (
    "import subprocess, sys;"
    "subprocess.run([sys.executable, '-c', 'import time; x = b\"x\" * (100 << 20); time.sleep(99)'],"
    " start_new_session=True)"
)
# Four processes with the same 60 MiB.
SHARE = "import os, time; data = b'x' * (60 << 20); [os.fork() for _ in range(2)]; time.sleep(99)"
WAIT = "import time; print('up', flush=True); time.sleep(99)"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - the address that a server requests, and that is replaced


@pytest.fixture
def engine() -> Iterator[ProcessEngine]:
    found = process_engine()
    yield found
    found.stop()


def start(engine: ProcessEngine, *command: str, **spec: Any) -> tuple[ProcessContainer, list[str]]:
    lines: list[str] = []
    container_spec = ContainerSpec(image=engine.pull(BASE), name="app", command=command, **spec)
    return engine.start(container_spec, lines.append), lines


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{address}:8080/", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_two_servers_on_one_port_run_side_by_side_and_not_on_this_machines_loopback(
    engine: ProcessEngine,
) -> None:
    containers = [start(engine, "python", "-c", SERVER, EVERYWHERE)[0] for _ in range(2)]
    for container in containers:
        until(partial(answers, container.address))
    assert containers[0].address != containers[1].address
    assert not answers("127.0.0.1")


def test_a_server_on_the_containers_own_loopback_is_reached_from_inside_only(engine: ProcessEngine) -> None:
    container, _ = start(engine, "python", "-c", SERVER, "127.0.0.1")
    probe = ("python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8080/')")
    until(lambda: container.execute(probe, 10)[0] == 0)
    assert not answers(container.address)


def test_a_container_does_not_reach_other_ports_of_this_machine(engine: ProcessEngine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mine:
        port = mine.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        container, lines = start(engine, "python", "-c", code)
        assert container.wait(20) == 1
    assert "ConnectionRefusedError" in lines[-1]


def test_the_environment_has_the_images_variables_and_the_given_ones_only(
    engine: ProcessEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_HOST", "x")
    code = "import os; print(sorted(os.environ))"
    container, lines = start(engine, "python", "-c", code, environment={"GIVEN": "1"})
    assert container.wait(20) == 0
    assert "GIVEN" in lines[0]
    assert "HOSTNAME" in lines[0], "an engine sets it"
    assert "SECRET_OF_THE_HOST" not in lines[0]


def test_programs_that_only_this_machine_has_are_not_found(engine: ProcessEngine) -> None:
    with pytest.raises(ContainerError, match=r'exec: "curl": executable file not found in \$PATH'):
        start(engine, "curl", "http://localhost/")
    container, _ = start(engine, "/bin/sh", "-c", "curl http://localhost/")
    assert container.wait(20) == 127


def test_a_relative_program_begins_at_the_working_directory_and_not_at_this_servers(
    engine: ProcessEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "#!/bin/sh\necho $0 of the image\n"
    folder = project(tmp_path / "project", "FROM BASE\nWORKDIR /app\nCOPY start.sh bin/", start__sh=script)
    (folder / "start.sh").chmod(0o755)
    image = build(folder).id
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/other.sh").write_text(script)
    (tmp_path / "bin/other.sh").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    lines: list[str] = []
    spec = ContainerSpec(image=image, name="app", command=("./bin/start.sh",))
    assert engine.start(spec, lines.append).wait(20) == 0
    assert lines[0].endswith("of the image")
    with pytest.raises(ContainerError, match=r"stat \./bin/other\.sh: no such file or directory"):
        engine.start(replace(spec, command=("./bin/other.sh",)), lines.append)


def test_sigterm_reaches_the_main_process_and_its_exit_code_is_reported(engine: ProcessEngine) -> None:
    code = f"import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); {WAIT}"
    container, lines = start(engine, "python", "-c", code)
    until(lambda: lines == ["up"])
    assert container.stop(10) == 7


def test_a_process_that_ignores_sigterm_is_killed_after_the_stop_timeout(engine: ProcessEngine) -> None:
    code = f"import signal; signal.signal(15, signal.SIG_IGN); {WAIT}"
    container, lines = start(engine, "python", "-c", code)
    until(lambda: lines == ["up"])
    began = time.monotonic()
    assert container.stop(0.5) == 137
    assert time.monotonic() - began >= 0.5


def test_every_process_of_a_container_ends_with_its_main_process(engine: ProcessEngine) -> None:
    container, lines = start(engine, "python", "-c", f"{DETACHED}; {WAIT}")
    until(lambda: lines == ["up"] and len(processes_of(container.id)) == 2)
    os.kill(container.process_id, signal.SIGKILL)
    assert container.wait(10) == 137
    until(lambda: not processes_of(container.id))


def test_stopping_the_engine_leaves_no_process(engine: ProcessEngine) -> None:
    container, _ = start(engine, "python", "-c", "import time; time.sleep(99)")
    until(lambda: processes_of(container.id))
    engine.stop()
    assert not processes_of(container.id)


def test_a_command_inside_that_exceeds_its_timeout_is_killed(engine: ProcessEngine) -> None:
    container, _ = start(engine, "sleep", "99")
    with pytest.raises(TimeoutError):
        container.execute(("sleep", "98"), 0.3)
    assert container.exit_code is None
    assert len(processes_of(container.id)) == 1


def test_an_address_is_released_when_the_container_ends(engine: ProcessEngine) -> None:
    container, _ = start(engine, "true")
    container.wait(10)
    until(lambda: not (engine.addresses.folder / container.address).exists())


def test_an_image_of_another_registry_cannot_be_pulled(engine: ProcessEngine) -> None:
    with pytest.raises(PullError, match=r"failed to resolve ref nginx:1: docker\.io/nginx:1: not found"):
        engine.pull("nginx:1")


@pytest.mark.parametrize(
    ("family", "host", "bound"),
    [
        (socket.AF_INET, EVERYWHERE, "127.64.0.1"),
        (socket.AF_INET, "", "127.64.0.1"),
        (socket.AF_INET, "localhost", "127.128.0.1"),
        (socket.AF_INET, "127.64.0.1", "127.64.0.1"),
        (socket.AF_INET6, "::", "::ffff:127.64.0.1"),
    ],
)
def test_a_bind_is_redirected_to_the_containers_addresses(family: int, host: str, bound: str) -> None:
    assert bind_address(family, host, "127.64.0.1", "127.128.0.1") == bound


def test_the_port_of_local_aws_is_reached_from_inside() -> None:
    assert (
        connect_address(socket.AF_INET, "127.0.0.1", 4566, "127.64.0.1", "127.128.0.1", "4566") == "127.0.0.1"
    )
    assert (
        connect_address(socket.AF_INET, "127.0.0.1", 1, "127.64.0.1", "127.128.0.1", "4566") == "127.64.0.1"
    )


def test_a_container_whose_processes_use_more_than_its_memory_is_killed_with_all_of_them(
    engine: ProcessEngine,
) -> None:
    container, _ = start(engine, "python", "-c", EAT, memory=64)
    assert container.wait(20) == 137
    assert container.out_of_memory
    assert not processes_of(container.id)


def test_a_container_within_its_memory_and_one_without_a_limit_run_on(engine: ProcessEngine) -> None:
    within, _ = start(engine, "python", "-c", EAT, memory=256)
    unlimited, _ = start(engine, "python", "-c", EAT)
    tight, _ = start(engine, "python", "-c", EAT, memory=64)
    assert tight.wait(20) == 137
    assert (within.exit_code, unlimited.exit_code) == (None, None)


def test_a_page_that_processes_share_counts_once(engine: ProcessEngine) -> None:
    sharing, _ = start(engine, "python", "-c", SHARE, memory=128)
    until(lambda: len(processes_of(sharing.id)) == 4)
    tight, _ = start(engine, "python", "-c", EAT, memory=64)
    assert tight.wait(20) == 137
    assert sharing.exit_code is None


def test_a_full_disk_fails_the_pull_with_awss_message(
    engine: ProcessEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_version: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/var/lib/layer")

    monkeypatch.setattr(engine.store, "base", full)
    with pytest.raises(PullError, match=r"^write /var/lib/layer: no space left on device$"):
        engine.pull(BASE)
