"""The `docker` of a build without Docker: the commands of our buildspec, against a real registry."""

import base64
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.containers.docker_shim.format import render
from local_aws.containers.docker_shim.shim import DockerShim
from local_aws.containers.docker_shim.state import DockerError
from local_aws.containers.processes.container import processes_of
from local_aws.services.ecr.service import Ecr
from local_aws.services.ecr_public.registry import PublicRegistry
from unit_tests.local_aws.containers.fakes import BASE, HOST, project, settings, until
from unit_tests.local_aws.services.ecr.registry_server import make_ecr, serving

SERVER = (
    "import http.server as h; print('up', flush=True);"
    "h.HTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()"
)


class Docker:
    def __init__(self, directory: Path, endpoint: str, *, privileged: bool = True) -> None:
        self.directory = directory
        self.shim = DockerShim(settings(endpoint=endpoint))
        self.shim.write(directory, privileged=privileged)

    def remove(self) -> None:
        self.shim.remove(self.directory)

    def __call__(
        self, *words: str, given: str = "", fails: int | None = None, env: dict[str, str] | None = None
    ) -> str:
        command = [str(self.directory / "docker"), *words]
        answer = subprocess.run(  # noqa: S603 - the script under test
            command, input=given, env=env, capture_output=True, text=True, check=False
        )
        assert answer.returncode == (fails or 0), answer.stderr
        return (answer.stderr if fails else answer.stdout).strip()


@pytest.fixture
def ecr(tmp_path: Path) -> Ecr:
    found = make_ecr(tmp_path / "ecr")
    found.call("CreateRepository", {"repositoryName": "images-dev", "imageTagMutability": "IMMUTABLE"})
    return found


@pytest.fixture
def docker(tmp_path: Path, ecr: Ecr) -> Iterator[Docker]:
    with serving(ecr) as endpoint:
        found = Docker(tmp_path / "bin", endpoint)
        yield found
        found.remove()


def test_a_docker_command_starts_without_the_clients_of_aws() -> None:
    """Each command of a build is a start of Python, most of whose time went into botocore."""
    code = "import sys, local_aws.containers.docker_shim.cli; print('botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stdout == "False\n"


def test_a_build_without_a_runtime_of_its_own_finds_the_python_of_a_base_image(
    docker: Docker, tmp_path: Path
) -> None:
    folder = project(tmp_path / "p", "FROM docker.io/library/python:3.9-slim")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    docker("build", "-t", "image", str(folder), env=environment)
    version = docker("run", "--rm", "image", "python", "--version", env=environment)
    assert version.startswith("Python 3.9.")


def test_an_image_is_built_run_pushed_and_named_by_its_digest(
    docker: Docker, ecr: Ecr, tmp_path: Path
) -> None:
    name = f"{HOST}/images-dev:abc"
    folder = project(tmp_path / "p", "FROM BASE\nARG V\nENV V=$V\nCMD python -c 'print(1)'")
    docker("build", "--build-arg", "V=7", "--provenance=false", "-t", name, str(folder))
    assert docker("run", "--rm", name, "python", "-c", "import os; print(os.environ['V'])") == "7"
    assert docker("push", name, fails=1) == "no basic auth credentials"
    data = ecr.call("GetAuthorizationToken", {})["authorizationData"][0]
    password = base64.b64decode(data["authorizationToken"]).decode().partition(":")[2]
    refusal = docker("login", "--username", "AWS", "--password-stdin", HOST, given="wrong", fails=1)
    assert "401 Unauthorized" in refusal
    # The whole URI of a repository logs in to its registry.
    login = docker("login", "--username", "AWS", "--password-stdin", f"{HOST}/images-dev", given=password)
    assert login == "Login Succeeded"
    pushed = docker("push", name).splitlines()[-1]
    digest = ecr.call("ListImages", {"repositoryName": "images-dev"})["imageIds"][0]["imageDigest"]
    assert pushed.startswith(f"abc: digest: {digest} size: ")
    assert docker("inspect", "--format", "{{index .RepoDigests 0}}", name) == f"{HOST}/images-dev@{digest}"
    docker("build", "--build-arg", "V=8", "-t", name, str(folder))
    assert docker("push", name, fails=1).startswith("tag invalid: The image tag 'abc' already exists")


def test_pulls_from_public_ecr_are_limited_without_a_login(tmp_path: Path, ecr: Ecr) -> None:
    """Pitfall F11."""
    public = PublicRegistry(pulls_per_second=1 / 3600)
    public.logins["token"] = time.time() + 60
    folder = project(tmp_path / "p", "FROM BASE\nCMD python")
    with serving(ecr, public) as endpoint:
        first, second = Docker(tmp_path / "first", endpoint), Docker(tmp_path / "second", endpoint)
        assert first("pull", "--quiet", BASE) == BASE
        assert "toomanyrequests: Rate exceeded" in second("pull", BASE, fails=1)
        assert f"{BASE}: toomanyrequests: Rate exceeded" in second("build", str(folder), fails=1)
        first("build", str(folder))
        login = ("login", "--username", "AWS", "--password-stdin", "public.ecr.aws")
        assert "401 Unauthorized" in second(*login, given="wrong", fails=1)
        assert second(*login, given="token\n") == "Login Succeeded"
        second("build", str(folder))
        first.remove()
        second.remove()


def test_a_base_image_may_be_pinned_by_its_digest(docker: Docker, tmp_path: Path) -> None:
    pinned = f"{BASE}@sha256:{'0' * 64}"
    docker("pull", pinned)
    docker("build", "-t", "mine:1", str(project(tmp_path / "p", f"FROM {pinned}\nCMD python")))
    assert docker("run", "--rm", "mine:1", "python", "-c", "print(1)") == "1"


def test_a_detached_container_is_inspected_and_removed_without_a_trace(docker: Docker) -> None:
    container = docker("run", "-d", "--name", "smoke", "-p", "0:8080", BASE, "python", "-c", SERVER)
    until(lambda: docker("logs", "smoke") == "up")
    port = docker("port", "smoke", "8080")
    with urllib.request.urlopen(f"http://{port}/", timeout=5) as answer:
        assert answer.status == 200
    inside = "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/').status)"
    assert docker("exec", "smoke", "python", "-c", inside) == "200"
    assert docker("inspect", "--format", "{{.State.Status}}", "smoke") == "running"
    assert "cannot remove container" in docker("rm", "smoke", fails=1)
    assert docker("rm", "-f", "smoke") == "smoke"
    assert processes_of(container) == []
    assert "No such container: smoke" in docker("logs", "smoke", fails=1)


def test_a_container_whose_process_was_killed_is_reported_as_exited(docker: Docker) -> None:
    container = docker("run", "-d", "--name", "smoke", BASE, "sleep", "99")
    for process_id in processes_of(container):
        os.kill(process_id, 9)
    until(lambda: docker("inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", "smoke") == "exited 137")
    assert "is not running" in docker("exec", "smoke", "true", fails=1)


def test_a_container_that_was_killed_with_its_runner_is_reported_as_exited(docker: Docker) -> None:
    container = docker("run", "-d", "--name", "smoke", BASE, "sleep", "99")
    runners = [
        int(entry.parent.name) for entry in Path("/proc").glob("[0-9]*/cmdline") if _names(entry, container)
    ]
    assert len(runners) == 1
    for process_id in (*runners, *processes_of(container)):
        os.kill(process_id, 9)
    until(lambda: docker("inspect", "-f", "{{.State.Status}}", "smoke") == "exited")


def _names(entry: Path, text: str) -> bool:
    try:
        return text.encode() in entry.read_bytes()
    except OSError:
        return False


def test_the_end_of_a_build_kills_its_containers(docker: Docker) -> None:
    container = docker("run", "-d", BASE, "sleep", "99")
    assert processes_of(container)
    docker.remove()
    assert processes_of(container) == []
    assert not (docker.directory / "docker").exists()


def test_exit_codes_are_the_containers(docker: Docker) -> None:
    docker("run", "--rm", BASE, "python", "-c", "raise SystemExit(3)", fails=3)
    docker("run", "--rm", BASE, "no-such-program", fails=127)


def test_images_of_one_build_are_unknown_to_another(docker: Docker, tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "FROM BASE\nENV A=1")
    docker("build", "-q", "-t", "mine:1", str(folder))
    other = Docker(tmp_path / "other", "http://127.0.0.1:9")
    assert "No such object: mine:1" in other("inspect", "mine:1", fails=1)
    other.remove()


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--network", "host", BASE),
        ("buildx", "build", "."),
        ("compose", "up"),
        ("build", "--target", "x", "."),
    ],
)
def test_an_unsupported_command_is_refused_by_name(docker: Docker, words: tuple[str, ...]) -> None:
    refusal = docker(*words, fails=125)
    assert refusal.startswith(f"local_aws (processes) does not support: docker {words[0]}")
    assert refusal.endswith("use docker")


def test_without_privileged_mode_the_daemon_cannot_be_reached(tmp_path: Path) -> None:
    docker = Docker(tmp_path / "bin", "http://127.0.0.1:9", privileged=False)
    assert docker("build", ".", fails=1) == (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    )


def test_an_unsupported_dockerfile_fails_the_build_with_one_line(docker: Docker, tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "FROM BASE\nRUN apt-get update")
    refusal = docker("build", "-t", "a", str(folder), fails=1)
    assert refusal == ("ERROR: local_aws (processes) cannot run: RUN apt-get update (line 2); use docker")


def test_formats_support_paths_indexes_and_json_and_reject_missing_fields() -> None:
    content = {"State": {"Running": True}, "List": ["a"]}
    assert render("{{.State.Running}} {{index .List 0}} {{json .List}}", content) == 'true a ["a"]'
    with pytest.raises(DockerError, match="map has no entry"):
        render("{{.State.Other}}", content)
    with pytest.raises(DockerError, match="cannot format"):
        render("{{range .List}}{{.}}{{end}}", content)
