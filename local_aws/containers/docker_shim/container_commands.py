"""`docker` commands about containers: run, exec, logs, ps, port, stop, kill, rm, wait."""

import argparse
import os
import shlex
import shutil
import signal
import sys
import time
from dataclasses import replace

import psutil

from local_aws.containers.docker_shim import run
from local_aws.containers.docker_shim.command_table import (
    QUIET,
    CommandTable,
    Option,
    key_values,
    write_line,
)
from local_aws.containers.docker_shim.state import (
    ContainerFolder,
    DockerError,
    DockerState,
    PortMapping,
    RunOptions,
    write_json,
)
from local_aws.containers.engine import ContainerError, ContainerSpec
from local_aws.containers.images.registry_client import Reference, RegistryError
from local_aws.containers.images.store import Image
from local_aws.containers.processes.container import processes_of, start_process
from local_aws.containers.processes.engine import pull
from local_aws.host.interpreters import PythonNotFoundError


def _run(state: DockerState, options: argparse.Namespace) -> int:
    image = _image(state, options.image)
    spec = ContainerSpec(
        image=image.id,
        name=options.name or "",
        command=tuple(options.arguments),
        entrypoint=tuple(shlex.split(options.entrypoint)) if options.entrypoint else (),
        environment=key_values(options.env),
        working_directory=options.workdir or "",
    )
    run_options = RunOptions(image_name=options.image, ports=[_port(text) for text in options.publish])
    try:
        folder = run.create(state, image, spec, run_options)
    except ContainerError as error:
        raise DockerError(f"docker: Error response from daemon: {error}", 125) from error
    if options.detach:
        try:
            run.start_detached(state, folder)
        except DockerError:
            _remove(folder)
            raise
        write_line(folder.path.name)
        return 0
    try:
        return run.run(state, folder, lambda: None, write_line)
    finally:
        if options.rm:
            _remove(folder)


def _image(state: DockerState, name: str) -> Image:
    image = state.find(name)
    if image is not None:
        return image
    reference = Reference.parse(name)
    print(f"Unable to find image '{reference}' locally", file=sys.stderr)
    try:
        image = pull(state.store, state.settings.endpoint, name, state.login(reference.host))
    except (RegistryError, PythonNotFoundError) as error:
        raise DockerError(f"docker: Error response from daemon: {error}", 125) from error
    state.tag(name, image)
    return image


def _port(text: str) -> PortMapping:
    parts = text.removesuffix("/tcp").split(":")
    # Each of them becomes loopback (`_publish` in run.py).
    if len(parts) == 3 and parts[0] in ("127.0.0.1", "localhost", "0.0.0.0"):  # noqa: S104
        parts = parts[1:]
    if len(parts) > 2 or not all(part.isdigit() for part in parts if part):
        raise DockerError(f"local_aws (processes) cannot publish: {text}; use docker", 125)
    return {"HostPort": int(parts[0] or 0) if len(parts) == 2 else 0, "ContainerPort": int(parts[-1])}


def _exec(state: DockerState, options: argparse.Namespace) -> int:
    folder = _running(state, options.container)
    plan = folder.plan()
    plan = replace(
        plan,
        environment={**plan.environment, **key_values(options.env)},
        working_directory=options.workdir or plan.working_directory,
    )
    try:
        process = start_process(plan, tuple(options.arguments), None)
    except ContainerError as error:
        raise DockerError(str(error), 127) from error
    code = process.wait()
    return code if code >= 0 else 128 - code


def _running(state: DockerState, name: str) -> ContainerFolder:
    folder = state.container(name)
    if not folder.state()["Running"]:
        raise DockerError(f"Error response from daemon: container {folder.path.name} is not running")
    return folder


def _logs(state: DockerState, options: argparse.Namespace) -> None:
    folder = state.container(options.container)
    with folder.log.open() as log:
        while True:
            ended = not folder.state()["Running"]
            for line in log:
                write_line(line.rstrip("\n"))
            if not options.follow or ended:
                return
            time.sleep(0.2)


def _ps(state: DockerState, options: argparse.Namespace) -> None:
    if not options.quiet:
        write_line(f"{'CONTAINER ID':13} {'IMAGE':60} {'STATUS':12} NAMES")
    for folder in state.containers():
        description, status = folder.description(), folder.state()["Status"]
        if options.all or status == "running":
            name, short = description["Name"].lstrip("/"), folder.path.name[:12]
            write_line(
                short if options.quiet else f"{short:13} {description['ImageName']:60} {status:12} {name}"
            )


def _ports(state: DockerState, options: argparse.Namespace) -> None:
    for port in state.container(options.container).state().get("Ports", []):
        wanted = (options.port or "").removesuffix("/tcp")
        if wanted in ("", str(port["ContainerPort"])):
            prefix = "" if wanted else f"{port['ContainerPort']}/tcp -> "
            write_line(f"{prefix}127.0.0.1:{port['HostPort']}")


def _stop(state: DockerState, options: argparse.Namespace) -> None:
    for name in options.containers:
        stop(state.container(name), options.time)
        write_line(name)


def _kill(state: DockerState, options: argparse.Namespace) -> None:
    for name in options.containers:
        stop(_running(state, name), 0)
        write_line(name)


def _rm(state: DockerState, options: argparse.Namespace) -> None:
    for name in options.containers:
        folder = state.container(name)
        if folder.state()["Running"]:
            if not options.force:
                raise DockerError(
                    f"Error response from daemon: cannot remove container {name!r}: container is running: "
                    "stop the container before removing or force remove"
                )
            stop(folder, 0)
        _remove(folder)
        write_line(name)


def _wait(state: DockerState, options: argparse.Namespace) -> None:
    for name in options.containers:
        folder = state.container(name)
        while folder.state()["Running"]:
            time.sleep(0.2)
        write_line(str(folder.state()["ExitCode"]))


def stop(folder: ContainerFolder, seconds: float) -> None:
    """Send the stop signal, wait `seconds`, then send SIGKILL to every process that carries the tag."""
    plan = folder.plan()
    write_json(folder.path / "stop-timeout", seconds)
    main = folder.state()["Pid"]
    if main and seconds > 0:
        _signal(main, signal.Signals[plan.stop_signal])
        deadline = time.monotonic() + seconds
        while psutil.pid_exists(main) and time.monotonic() < deadline:
            time.sleep(0.05)
    for process_id in processes_of(plan.id):
        _signal(process_id, signal.SIGKILL)
    # The process that runs the container writes the exit code.
    deadline = time.monotonic() + 5
    while folder.state()["Status"] == "running" and time.monotonic() < deadline:
        time.sleep(0.02)


def remove_all(state: DockerState) -> None:
    """Kill and remove every container of a build."""
    for folder in state.containers():
        stop(folder, 0)
        _remove(folder)


def _signal(process_id: int, number: signal.Signals) -> None:
    try:
        os.kill(process_id, number)
    except ProcessLookupError:
        return


def _remove(folder: ContainerFolder) -> None:
    shutil.rmtree(folder.path, ignore_errors=True)


_CONTAINER: Option = (("container",), {})
_CONTAINERS: Option = (("containers",), {"nargs": "+"})
_REST: Option = (("arguments",), {"nargs": argparse.REMAINDER})
_ENV: Option = (("-e", "--env"), {"action": "append", "default": []})
_WORKDIR: Option = (("-w", "--workdir"), {})

COMMANDS: CommandTable = {
    "run": (
        _run,
        [
            (("-d", "--detach"), {"action": "store_true"}),
            (("--rm",), {"action": "store_true"}),
            (("--name",), {}),
            (("-p", "--publish"), {"action": "append", "default": []}),
            (("--entrypoint",), {}),
            (("--pull",), {"choices": ["missing"]}),
            # As for a task, a process has neither (docs/known-differences.md).
            (("-u", "--user"), {}),
            (("--read-only",), {"action": "store_true"}),
            (("--cap-drop",), {"action": "append"}),
            _ENV,
            _WORKDIR,
            (("image",), {}),
            _REST,
        ],
    ),
    "exec": (_exec, [_ENV, _WORKDIR, _CONTAINER, _REST]),
    "logs": (_logs, [(("-f", "--follow"), {"action": "store_true"}), _CONTAINER]),
    "ps": (_ps, [(("-a", "--all"), {"action": "store_true"}), QUIET]),
    "port": (_ports, [_CONTAINER, (("port",), {"nargs": "?"})]),
    "stop": (_stop, [(("-t", "--time"), {"type": int, "default": 10}), _CONTAINERS]),
    "kill": (_kill, [_CONTAINERS]),
    "rm": (_rm, [(("-f", "--force"), {"action": "store_true"}), _CONTAINERS]),
    "wait": (_wait, [_CONTAINERS]),
}
