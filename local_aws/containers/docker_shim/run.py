"""Runs one container of a build's `docker`: its process, its published ports, its health, its log file."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from local_aws.containers import health as container_health
from local_aws.containers import relay
from local_aws.containers.addresses import Addresses
from local_aws.containers.docker_shim.state import ContainerFolder, DockerError, DockerState
from local_aws.containers.engine import ContainerError, ContainerSpec
from local_aws.containers.images.store import Image, timestamp
from local_aws.containers.processes.container import ProcessContainer
from local_aws.containers.processes.engine import make_plan
from local_aws.core.clock import Clock

STOP_SECONDS = 10.0


def create(state: DockerState, image: Image, spec: ContainerSpec, about: dict[str, Any]) -> ContainerFolder:
    """Make a container's files and take its address."""
    taken = [one.about()["Name"] for one in state.containers()]
    if spec.name and f"/{spec.name}" in taken:
        raise DockerError(
            f'Error response from daemon: Conflict. The container name "/{spec.name}" is already in use.', 125
        )
    addresses = Addresses(state.store.root / "addresses")
    plan = make_plan(state.store, image, spec, addresses.take(), state.settings.endpoint)
    folder = ContainerFolder(state.folder / "containers" / plan.id)
    name = spec.name or f"container-{plan.id[:12]}"
    known = {"Id": plan.id, "Name": f"/{name}", "Created": timestamp(), "Image": image.id, **about}
    folder.make(plan, known)
    return folder


def start_detached(state: DockerState, folder: ContainerFolder) -> None:
    """Run the container under a process of its own, as containerd's shim does; return once it runs."""
    root = str(Path(__file__).resolve().parents[3])
    start = "from local_aws.containers.docker_shim import run; run.main()"
    code = f"import sys; sys.path.insert(0, {root!r}); {start}"
    shim = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-I", "-c", code, str(state.folder.parent), str(folder.path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    word = shim.stdout.readline().decode().strip() if shim.stdout else ""
    if word != "running":
        raise DockerError(f"docker: Error response from daemon: {word or 'the container did not start'}", 125)


def main() -> None:
    """Run one container, given the docker's directory and the container's folder (the shim's process)."""
    directory, path = sys.argv[1:3]

    def running() -> None:
        sys.stdout.write("running\n")
        sys.stdout.flush()
        sys.stdout.close()

    try:
        run(DockerState(Path(directory)), ContainerFolder(Path(path)), running)
    except DockerError as error:
        sys.stdout.write(f"{error}\n")


def run(
    state: DockerState,
    folder: ContainerFolder,
    on_start: Callable[[], None],
    on_line: Callable[[str], None] = lambda _line: None,
) -> int:
    """Run a container to its end and return its exit code; SIGTERM stops it, SIGINT kills it."""
    about, plan = folder.about(), folder.plan()
    addresses = Addresses(state.store.root / "addresses")
    log = folder.log.open("a")

    def write(line: str) -> None:
        log.write(f"{line}\n")
        log.flush()
        on_line(line)

    try:
        listeners = [_publish(port, plan.address) for port in about["Ports"]]
        container = ProcessContainer(plan, write)
    except (OSError, ContainerError) as error:
        addresses.give_back(plan.address)
        folder.note({"Status": "created", "Running": False, "Pid": 0, "ExitCode": 127, "Error": str(error)})
        raise DockerError(str(error), 127 if isinstance(error, ContainerError) else 125) from error
    _on_signals(container, folder)
    ports = [
        port | {"HostPort": listener.getsockname()[1]}
        for port, listener in zip(about["Ports"], listeners, strict=True)
    ]
    living = {"Status": "running", "Running": True, "Pid": container.process_id, "ExitCode": 0}
    living |= {"StartedAt": timestamp(), "Ports": ports}
    folder.note(living)
    _watch_health(state, folder, container, living)
    on_start()
    code = container.wait() or 0
    addresses.give_back(plan.address)
    done = {**living, "Status": "exited", "Running": False, "Pid": 0, "ExitCode": code}
    if folder.is_made():
        folder.note({**done, "FinishedAt": timestamp()})
    log.close()
    return code


def _on_signals(container: ProcessContainer, folder: ContainerFolder) -> None:
    def stop(number: int, _frame: object) -> None:
        asked = folder.path / "stop-timeout"
        seconds = json.loads(asked.read_text()) if asked.exists() else STOP_SECONDS
        # The main thread waits for the container: the stop must not happen in its place.
        threading.Thread(target=container.stop, args=(0 if number == signal.SIGINT else seconds,)).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _watch_health(
    state: DockerState, folder: ContainerFolder, container: ProcessContainer, living: dict[str, Any]
) -> None:
    image = state.store.image(folder.about()["Image"])
    check = container_health.HealthCheck.of_image(image.config.health_check)
    if check is None:
        return
    stopped = threading.Event()
    living["Health"] = {"Status": "starting"}
    folder.note(living)

    def note(status: str) -> None:
        living["Health"] = {"Status": status.lower()}
        if container.exit_code is None:
            folder.note(living)

    clock = Clock(state.settings.time_scale)
    checking = replace(check, interval=check.interval)
    threading.Thread(
        target=container_health.watch, args=(container, checking, clock, note, stopped), daemon=True
    ).start()


def _publish(port: dict[str, Any], address: str) -> socket.socket:
    """Forward a port of this machine's loopback to the container (Docker would open it to the world)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port["HostPort"]))
    except OSError as error:
        listener.close()
        number = port["HostPort"]
        raise OSError(f"Bind for 127.0.0.1:{number} failed: port is already allocated") from error
    listener.listen(64)

    def connect() -> socket.socket:
        made = socket.create_connection((address, port["ContainerPort"]), timeout=10)
        made.settimeout(None)
        return made

    threading.Thread(target=relay.forward, args=(listener, connect), daemon=True).start()
    return listener
