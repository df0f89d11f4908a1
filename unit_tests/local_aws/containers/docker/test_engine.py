"""The engine for docker and podman: its command lines on a fake, and once a real engine."""

import base64
import subprocess
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.containers import selection
from local_aws.containers.docker import cleanup, networks, probe
from local_aws.containers.docker.command import LABEL, CommandError, reason
from local_aws.containers.docker.engine import CliEngine
from local_aws.containers.engine import ContainerError, ContainerSpec, PullError
from local_aws.services.ecr.service import Ecr
from unit_tests.local_aws.containers.engine_fakes import (
    REGISTRY,
    FakeEngine,
    engine_context,
    engine_of,
    logins,
)
from unit_tests.local_aws.containers.fakes import HOST, project, until
from unit_tests.local_aws.services.ecr.registry_server import make_ecr, serving


@pytest.fixture
def fake(tmp_path: Path) -> FakeEngine:
    return FakeEngine(tmp_path / "engine")


@pytest.fixture
def engine(fake: FakeEngine, tmp_path: Path) -> Iterator[CliEngine]:
    found = engine_of(fake, tmp_path / "state")
    yield found
    found.stop()


def options(words: list[str], name: str) -> list[str]:
    return [words[at + 1] for at, word in enumerate(words) if word == name]


def test_containers_of_one_task_share_the_network_that_its_own_container_holds(
    fake: FakeEngine, engine: CliEngine
) -> None:
    address = engine.address()
    containers = [
        engine.start(ContainerSpec("image", name, address=address), lambda _line: None) for name in "ab"
    ]
    assert fake.containers == ["c0", "c1", "c2"]
    assert [options(words, "--network") for words in fake.commands("create")] == [["container:c0"]] * 2
    assert {container.address for container in containers} == {address}
    for container in containers:
        container.stop(1)
    engine.release(address)
    assert fake.containers == []


def test_a_container_without_an_address_removes_its_network_with_itself(
    fake: FakeEngine, engine: CliEngine
) -> None:
    container = engine.start(ContainerSpec("image", "a"), lambda _line: None)
    assert len(fake.containers) == 2
    container.stop(1)
    until(lambda: fake.containers == [])


def test_a_containers_definition_becomes_options_of_create(fake: FakeEngine, engine: CliEngine) -> None:
    spec = ContainerSpec(
        *("image", "web", ("serve", "now"), ("python", "-m"), {}, "/srv"),
        user="10001:10001",
        read_only=True,
        memory=512,
        cpu=256,
    )
    engine.start(spec, lambda _line: None)
    words = fake.commands("create")[0]
    assert words[-4:] == ["image", "-m", "serve", "now"]
    assert options(words, "--entrypoint") == ["python"]
    assert options(words, "--user") == ["10001:10001"]
    assert options(words, "--memory") == ["512m"]
    assert options(words, "--cpu-shares") == ["256"]
    assert options(words, "--workdir") == ["/srv"]
    assert {"--read-only", "--read-only-tmpfs=false", "--no-healthcheck"} <= set(words)
    assert options(words, "--label") == [f"local_aws.instance={fake.instance}"]


def test_values_of_variables_are_not_arguments_which_every_user_can_read(
    fake: FakeEngine, engine: CliEngine
) -> None:
    spec = ContainerSpec("image", "web", environment={"A": "1", "KEY": "two\nlines"})
    engine.start(spec, lambda _line: None)
    words = fake.commands("create")[0]
    assert options(words, "--env") == ["KEY"]
    assert "two\nlines" not in " ".join(words)


def test_docker_does_not_get_the_options_of_podman(tmp_path: Path) -> None:
    fake = FakeEngine(tmp_path / "docker", "docker")
    engine = engine_of(fake, tmp_path / "state")
    engine.start(ContainerSpec("image", "web", read_only=True), lambda _line: None)
    engine.pull(f"{HOST}/images-dev:abc", "AWS:secret")
    engine.stop()
    arguments = [word for words in fake.commands() for word in words]
    assert "--read-only" in arguments
    assert not {"--read-only-tmpfs=false", "--tls-verify=false", "--time"} & set(arguments)


def test_every_line_is_delivered_and_the_container_is_removed(fake: FakeEngine, engine: CliEngine) -> None:
    (fake.folder / "lines").write_text("one\ntwo\n")
    lines: list[str] = []
    container = engine.start(ContainerSpec("image", "web"), lines.append)
    until(lambda: lines == ["one", "two"])
    assert container.exit_code is None
    container.stop(7)
    assert options(fake.commands("stop")[0], "-t") == ["7"]
    assert container.exit_code == 137
    assert container.out_of_memory, "the engine says OOMKilled"
    assert ["rm", "--force", "--volumes", "--time", "0", container.id] in fake.commands("rm")


def test_a_container_that_cannot_be_created_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    fake = FakeEngine(tmp_path / "e", special='[ "$1" = create ] && { echo "Error: no room" >&2; exit 125; }')
    engine = engine_of(fake, tmp_path / "state")
    with pytest.raises(ContainerError, match=r"^no room$"):
        engine.start(ContainerSpec("image", "web"), lambda _line: None)
    assert fake.containers == []
    engine.stop()


def test_an_image_of_ecr_is_pulled_from_the_gateway_with_the_roles_login(tmp_path: Path) -> None:
    keep = '[ "$1" = pull ] && cp "$REGISTRY_AUTH_FILE" login.json'
    fake = FakeEngine(tmp_path / "e", special=keep)
    engine = engine_of(fake, tmp_path / "state")
    digest = "sha256:" + "0" * 64
    assert engine.pull(f"{HOST}/images-dev@{digest}", "AWS:secret") == "sha256:abc"
    assert fake.commands("pull") == [
        ["pull", "--tls-verify=false", f"{REGISTRY}/123456789012/images-dev@{digest}"]
    ]
    assert logins({"REGISTRY_AUTH_FILE": str(fake.folder / "login.json")}) == {
        REGISTRY: {"auth": "QVdTOnNlY3JldA=="}
    }
    assert engine.record.read_images() == ["sha256:abc"]
    engine.stop()


def test_another_image_is_pulled_only_if_the_engine_does_not_have_it(tmp_path: Path) -> None:
    missing = 'case "$1" in image) [ -e pulled ] || exit 1;; pull) : > pulled;; esac'
    fake = FakeEngine(tmp_path / "e", special=missing)
    engine = engine_of(fake, tmp_path / "state")
    for _ in range(2):
        engine.pull("public.ecr.aws/docker/library/python:3.9-slim")
    assert fake.commands("pull") == [["pull", "public.ecr.aws/docker/library/python:3.9-slim"]]
    engine.stop()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (f"manifest for {REGISTRY}/a:1 not found: manifest unknown: no image", f"{HOST}/a:1: not found"),
        (f"reading manifest 1 in {REGISTRY}/a: manifest unknown: no image", f"{HOST}/a:1: not found"),
        (f"reading {REGISTRY}/a: unauthorized", f"reading {HOST}/a: unauthorized"),
    ],
)
def test_a_pull_that_fails_names_the_image_as_aws_does(tmp_path: Path, error: str, reason: str) -> None:
    refuse = f'[ "$1" = pull ] && {{ echo "Error: {error}" >&2; exit 125; }}'
    engine = engine_of(FakeEngine(tmp_path / "e", special=refuse), tmp_path / "state")
    with pytest.raises(PullError) as raised:
        engine.pull(f"{HOST}/a:1", "AWS:secret")
    assert str(raised.value).endswith(f"failed to resolve ref {HOST}/a:1: {reason}")
    engine.stop()


def test_the_engine_itself_does_not_carry_the_tag_that_the_reaper_kills_by(
    fake: FakeEngine, engine: CliEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_AWS_INSTANCE", "mine")
    monkeypatch.delenv("LOCAL_AWS_CONTAINERS", raising=False)
    engine.address()
    ours = {line for line in fake.variables() if line.startswith("LOCAL_AWS")}
    assert ours == {f"LOCAL_AWS_ENGINE={fake.instance}"}


def test_the_timeout_of_a_check_starts_when_its_command_runs(tmp_path: Path) -> None:
    # The fake needs a second to start the command. The command carries its variable while it runs.
    slow = 'if [ "$1" = exec ]; then sleep 1; env "$3" sleep "$6"; echo done; exit; fi'
    engine = engine_of(FakeEngine(tmp_path / "e", special=slow), tmp_path / "state")
    container = engine.start(ContainerSpec("image", "web"), lambda _line: None)
    assert container.execute(("sleep", "0.1"), 0.8) == (0, "done\n")
    with pytest.raises(TimeoutError, match=r"sleep ran longer than 0.8 s"):
        container.execute(("sleep", "3"), 0.8)
    engine.stop()


@pytest.fixture
def real(tmp_path: Path) -> Iterator[tuple[CliEngine, Ecr]]:
    """The engine of this machine that works, with an ECR of its own."""
    instance = uuid.uuid4().hex
    ecr = make_ecr(tmp_path / "ecr")
    ecr.call("CreateRepository", {"repositoryName": "images-dev", "imageTagMutability": "IMMUTABLE"})
    with serving(ecr) as endpoint:
        context = engine_context(tmp_path / "state")
        context.endpoint, context.instance = endpoint, instance
        for name in selection.ENGINES:
            try:
                command = probe.find_command(name, instance)
                # Only if it is there: a unit test pulls nothing.
                command.run("image", "inspect", networks.IMAGE)
                probe.run_trial_task(command)
            except (probe.EngineUnusableError, CommandError):
                continue
            cleanup.Record(tmp_path / "state/containers").write(command, endpoint.removeprefix("http://"))
            yield CliEngine(context, command), ecr
            cleanup.remove_resources(tmp_path / "state/containers")
            assert command.run("ps", "--all", "--quiet", "--filter", f"label={LABEL}={instance}") == ""
            assert endpoint.removeprefix("http://") not in command.run("images")
            return
        pytest.skip(f"no docker or podman here that works and has {networks.IMAGE}")


WEB = "import http.server as h; h.HTTPServer(('', 8080), h.SimpleHTTPRequestHandler).serve_forever()"


def test_a_real_engine_builds_pushes_and_runs_a_task_and_leaves_nothing(
    real: tuple[CliEngine, Ecr], tmp_path: Path
) -> None:
    engine, ecr = real
    name = f"{HOST}/images-dev:abc"
    folder = project(
        tmp_path / "p", f"FROM {networks.IMAGE}\nWORKDIR /srv\nCOPY main.txt .\n", main__txt="mine"
    )
    login = base64.b64decode(
        ecr.call("GetAuthorizationToken", {})["authorizationData"][0]["authorizationToken"]
    ).decode()
    docker = engine.write_docker(tmp_path / "bin", privileged=True)
    password = login.partition(":")[2]
    words = ("login", "--username", "AWS", "--password-stdin", HOST)
    subprocess.run([docker, *words], input=password, text=True, check=True)  # noqa: S603
    for command in (["build", "-t", name, str(folder)], ["push", name]):
        subprocess.run([docker, *command], check=True)  # noqa: S603 - the script under test
    digest = ecr.call("ListImages", {"repositoryName": "images-dev"})["imageIds"][0]["imageDigest"]
    image = engine.pull(f"{HOST}/images-dev@{digest}", login)
    address = engine.address()
    spec = ContainerSpec(image, "web", ("python", "-c", WEB), address=address, user="1:1", read_only=True)
    container = engine.start(spec, lambda _line: None)

    def answer() -> bytes:
        try:
            with urllib.request.urlopen(f"http://{address}:8080/main.txt", timeout=5) as response:
                return bytes(response.read())
        except OSError:
            return b""

    assert until(answer) == b"mine"
    # Its loopback leads to local_aws, here to the registry, which wants a password.
    code = f"import urllib.request as u; u.urlopen('{engine.context.endpoint}/v2/')"
    assert "401" in container.execute(("python", "-c", code), 20)[1]
    assert container.execute(("touch", "/x"), 20)[0] == 1
    container.stop(0)
    engine.release(address)
    engine.end_docker(tmp_path / "bin")
    engine.stop()


@pytest.mark.parametrize("start", ["See", "Run"], ids=["docker 20", "docker 28"])
def test_the_reason_of_an_error_is_not_dockers_pointer_to_its_help(start: str) -> None:
    output = f"docker: Error response from daemon: no such image.\n\n{start} 'docker run --help'\n"
    assert reason(output) == "no such image."
