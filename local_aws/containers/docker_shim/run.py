"""Runs one container of a build's `docker`: its process, published ports, health check and log file."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from local_aws.containers import health as container_health
from local_aws.containers import relay
from local_aws.containers.addresses import Addresses
from local_aws.containers.docker_shim.state import (
    ContainerDescription,
    ContainerFolder,
    ContainerState,
    DockerError,
    DockerState,
    PortMapping,
    RunOptions,
)
from local_aws.containers.engine import ContainerError, ContainerSpec
from local_aws.containers.images.store import Image, timestamp
from local_aws.containers.processes.container import ProcessContainer
from local_aws.containers.processes.engine import make_plan
from local_aws.core.clock import Clock

STOP_SECONDS = 10.0


def create(state: DockerState, image: Image, spec: ContainerSpec, options: RunOptions) -> ContainerFolder:
    """Write a new container's files and allocate its address."""
    taken = [folder.description()["Name"] for folder in state.containers()]
    if spec.name and f"/{spec.name}" in taken:
        raise DockerError(
            f'Error response from daemon: Conflict. The container name "/{spec.name}" is already in use.', 125
        )
    addresses = Addresses(state.store.root / "addresses")
    plan = make_plan(state.store, image, spec, addresses.allocate(), state.settings.endpoint)
    folder = ContainerFolder(state.folder / "containers" / plan.id)
    description = ContainerDescription(
        Id=plan.id,
        Name=f"/{spec.name or f'container-{plan.id[:12]}'}",
        Created=timestamp(),
        Image=image.id,
        ImageName=options.image_name,
        Ports=options.ports,
    )
    folder.create(plan, description)
    return folder


def start_detached(state: DockerState, folder: ContainerFolder) -> None:
    """Run the container under a process of its own, as containerd's shim does. Return once it runs."""
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
    line = shim.stdout.readline().decode().strip() if shim.stdout else ""
    if line != "running":
        raise DockerError(f"docker: Error response from daemon: {line or 'the container did not start'}", 125)


def main() -> None:
    """Run one container: the entry point of the process that `start_detached` starts."""
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
    """Run a container to its end and return its exit code. SIGTERM stops it, SIGINT kills it."""
    addresses, address = Addresses(state.store.root / "addresses"), folder.plan().address
    with folder.log.open("a") as log:

        def write(line: str) -> None:
            log.write(f"{line}\n")
            log.flush()
            on_line(line)

        try:
            container, running = _start(folder, write)
            _on_signals(container, folder)
            _watch_health(state, folder, container, running)
            on_start()
            code = container.wait() or 0
        finally:
            addresses.release(address)
        if folder.is_complete():
            exited: ContainerState = {**running, "Status": "exited", "Running": False, "Pid": 0}
            folder.write_state({**exited, "ExitCode": code, "FinishedAt": timestamp()})
    return code


def _start(
    folder: ContainerFolder, on_line: Callable[[str], None]
) -> tuple[ProcessContainer, ContainerState]:
    """Publish the ports, start the container and write its state. Raises `DockerError`."""
    plan, ports = folder.plan(), folder.description()["Ports"]
    try:
        listeners = [_publish(port, plan.address) for port in ports]
        container = ProcessContainer(plan, on_line)
    except (OSError, ContainerError) as error:
        folder.write_state(
            {"Status": "created", "Running": False, "Pid": 0, "ExitCode": 127, "Error": str(error)}
        )
        raise DockerError(str(error), 127 if isinstance(error, ContainerError) else 125) from error
    published = [
        PortMapping(HostPort=listener.getsockname()[1], ContainerPort=port["ContainerPort"])
        for port, listener in zip(ports, listeners, strict=True)
    ]
    running = ContainerState(
        Status="running",
        Running=True,
        Pid=container.process_id,
        ExitCode=0,
        StartedAt=timestamp(),
        Ports=published,
    )
    folder.write_state(running)
    return container, running


def _on_signals(container: ProcessContainer, folder: ContainerFolder) -> None:
    def stop(number: int, _frame: object) -> None:
        requested = folder.path / "stop-timeout"
        seconds = json.loads(requested.read_text()) if requested.exists() else STOP_SECONDS
        # The main thread waits for the container, and a signal handler runs on it: stop on another one.
        threading.Thread(target=container.stop, args=(0 if number == signal.SIGINT else seconds,)).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def _watch_health(
    state: DockerState, folder: ContainerFolder, container: ProcessContainer, running: ContainerState
) -> None:
    image = state.store.image(folder.description()["Image"])
    check = container_health.HealthCheck.of_image(image.config.health_check)
    if check is None:
        return
    stopped = threading.Event()
    running["Health"] = {"Status": "starting"}
    folder.write_state(running)

    def on_status(status: str) -> None:
        running["Health"] = {"Status": status.lower()}
        if container.exit_code is None:
            folder.write_state(running)

    clock = Clock(state.settings.time_scale)
    threading.Thread(
        target=container_health.watch, args=(container, check, clock, on_status, stopped), daemon=True
    ).start()


def _publish(port: PortMapping, address: str) -> socket.socket:
    """Forward a port of this machine's loopback to the container; Docker would open it on every interface."""
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
        connection = socket.create_connection((address, port["ContainerPort"]), timeout=10)
        connection.settimeout(None)
        return connection

    threading.Thread(target=relay.forward, args=(listener, connect), daemon=True).start()
    return listener
