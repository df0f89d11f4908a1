"""Tries what a container needs of a machine, without local_aws: what fails later is the project's fault."""

import socket

from integration_tests.engines.base_image import names
from integration_tests.engines.machine import run
from operations.waiting import NotYetError, wait_for

NAME = "engines-trial"
PORT = 8000
SECONDS = 30.0
_SERVER = f"import http.server as s; s.HTTPServer(('', {PORT}), s.SimpleHTTPRequestHandler).serve_forever()"
_ADDRESS = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"


def check_container(engine: str) -> None:
    """Run a container with a memory limit, and connect to it. Raises `OperationsError`."""
    _, image, _ = names()
    run(engine, "run", "--detach", "--name", NAME, "--memory", "64m", image, "python", "-c", _SERVER)
    try:
        address = run(engine, "inspect", "--format", _ADDRESS, NAME)
        wait_for(f"a connection to {address}", lambda: _connect(address), deadline=SECONDS, interval=0.2)
    finally:
        run(engine, "rm", "--force", "--volumes", NAME)


def _connect(address: str) -> None:
    try:
        socket.create_connection((address, PORT), timeout=2).close()
    except OSError as error:
        raise NotYetError(str(error)) from error
