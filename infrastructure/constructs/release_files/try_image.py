"""Try the image of a build: start it as its task will run, and ask its health (pitfall E3).

CodeBuild runs this file on Python 3.9, after `fill.py`, in the folder of the commit: the variables, the
user and the limits are those of the filled taskdef.json. `SMOKE_PATHS` of `make check-service`, a list of
`{"path": "/items", "status": 200}`, adds what the test-traffic hook asks of a release.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

SECONDS = 30
# A load balancer's health check names a target by its address, which a framework may refuse with 400:
# https://github.com/sjkingo/django-ebhealthcheck
HOST = "10.0.0.10"
# Runs in the container, which has Python for its health check: prints the status and the header X-Version.
# It waits itself for a server that does not listen yet: each further `docker exec` starts two programs.
ASK = """
import http.client, json, os, sys, time
end = time.monotonic() + 2
while True:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]), timeout=5)
    try:
        connection.connect()
        break
    except ConnectionRefusedError:
        if time.monotonic() > end:
            raise
        time.sleep(0.05)
connection.request("GET", sys.argv[1], headers={"Host": sys.argv[2] + ":" + os.environ["PORT"]})
response = connection.getresponse()
print(json.dumps([response.status, response.getheader("X-Version")]))
"""
PAGE = "docs/services.md of the platform's project says what a release requires of a service"


class ImageError(Exception):
    """The image does not do what a release requires; the message says what, and what to do."""


def docker(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a docker command; return its result with its output."""
    command = ["docker", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - an argument list


def last_line(text: str) -> str:
    """Return the last line that is not empty."""
    lines = text.strip().splitlines()
    return lines[-1].strip() if lines else ""


def run_options(app: Mapping[str, Any]) -> list[str]:
    """Return the options of `docker run` that give the image what its task will give it."""
    variables = {one["name"]: one["value"] for one in app["environment"]}
    # The build may read no secret of a service: a service must start with any value.
    variables.update({one["name"]: "stand-in" for one in app.get("secrets", ())})
    options = [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    options += [
        word for name in app["linuxParameters"]["capabilities"]["drop"] for word in ("--cap-drop", name)
    ]
    read_only = ["--read-only"] if app["readonlyRootFilesystem"] else []
    return ["--user", app["user"], *read_only, *options]


def ask(container: str, path: str) -> tuple[int, str | None, str]:
    """Return the status, the header X-Version and, without a response (status 0), the reason."""
    done = docker("exec", container, "python", "-c", ASK, path, HOST)
    if done.returncode != 0:
        return 0, None, last_line(done.stderr) or f"docker exec ended with {done.returncode}"
    status, version = json.loads(last_line(done.stdout))
    asked = f" (for Host: {HOST}, as a load balancer's health check asks)" if status == 400 else ""
    return status, version, f"status {status}{asked}"


def wait_for_health(container: str, path: str, app: Mapping[str, Any]) -> str | None:
    """Wait until the health path responds with 200; return the header X-Version."""
    deadline = time.monotonic() + SECONDS
    while True:
        status, version, reason = ask(container, path)
        if status == 200:
            return version
        running = docker(
            "inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", container
        ).stdout.split()
        if running[:1] == ["false"]:
            raise ImageError(ended(container, running[1], path, app))
        if time.monotonic() > deadline:
            raise ImageError(
                f"the image does not answer {path} with 200 within {SECONDS} s: {reason}. It must listen on "
                f"0.0.0.0 and the port of $PORT; `healthPath` of the catalogue is the path. {PAGE}"
            )
        time.sleep(0.5)


def ended(container: str, code: str, path: str, app: Mapping[str, Any]) -> str:
    """Return the error for an image that ended by itself: its own last words, and what it was given."""
    done = docker("logs", container)
    image = docker("inspect", "--format", "{{.Image}}", container).stdout.strip()
    command = docker("inspect", "--type", "image", "--format", "{{json .Config.Cmd}}", image).stdout.strip()
    names = ", ".join(sorted(one["name"] for one in (*app["environment"], *app.get("secrets", ()))))
    return (
        f"the image ended with exit code {code} before it answered {path}; its command: {command}; its last "
        f"line: {last_line(done.stdout + done.stderr) or 'none'}. It had the variables {names} (more: "
        f"`environment`, `secrets` of the catalogue), user {app['user']} and a read-only file system. {PAGE}"
    )


def check_version(version: str | None, commit: str) -> None:
    """Refuse a header X-Version that does not name the commit; a service need not send one."""
    if version not in (None, commit):
        raise ImageError(
            f"the header X-Version says {version!r}, not {commit}: send the build argument GIT_COMMIT of the "
            f"Dockerfile (ARG GIT_COMMIT, ENV GIT_COMMIT=${{GIT_COMMIT}}), or no such header. {PAGE}"
        )


def check_paths(container: str, paths: Sequence[Mapping[str, Any]]) -> None:
    """Ask everything that the test-traffic hook will ask of a release."""
    problems = []
    for one in paths:
        status, _, reason = ask(container, one["path"])
        print(f"{one['path']} responds with {status}")
        if status != one["status"]:
            problems.append(
                f"the test-traffic hook asks {one['path']} and expects {one['status']}: {reason}. What it "
                f"asks is `smokePaths` of the catalogue. {PAGE}"
            )
    if problems:
        raise ImageError("\n".join(problems))


def check(values: Mapping[str, str]) -> None:
    """Start the image, ask it, and remove it; raises ImageError."""
    image, commit = f"{values['IMAGE_REPOSITORY_URI']}:{values['IMAGE_TAG']}", values["COMMIT"]
    container = f"smoke-{values['CODEBUILD_BUILD_ID'].rpartition(':')[2]}"
    task = json.loads(Path("taskdef.json").read_text())
    app = next(one for one in task["containerDefinitions"] if one["name"] == values["CONTAINER_NAME"])
    started = docker("run", "--detach", "--name", container, *run_options(app), image)
    try:
        if started.returncode != 0:
            raise ImageError(f"the image does not start: {last_line(started.stderr)}")
        path = values["HEALTH_PATH"]
        check_version(wait_for_health(container, path, app), commit)
        print(f"{path} responds with 200")
        check_paths(container, json.loads(values.get("SMOKE_PATHS", "[]")))
    finally:
        logs = docker("logs", container)
        print("What the image printed:", logs.stdout + logs.stderr, sep="\n", flush=True)
        docker("rm", "--force", container)


if __name__ == "__main__":
    try:
        check(os.environ)
    except ImageError as error:
        # The last line of the phase, below what the image printed.
        sys.exit(str(error))
