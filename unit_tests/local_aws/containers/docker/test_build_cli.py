"""The `docker` of a build with an engine: names of ECR become names of the gateway."""

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_aws.containers.docker.argument_rewriting import RefusedError, RewriteContext, rewrite
from local_aws.services.ecr_public.registry import PublicRegistry
from unit_tests.local_aws.containers.engine_fakes import REGISTRY, FakeEngine, engine_of
from unit_tests.local_aws.containers.fakes import BASE, HOST
from unit_tests.local_aws.services.ecr.registry_server import make_ecr, serving

IMAGE = f"{HOST}/images-dev:abc"
OURS = f"{REGISTRY}/123456789012/images-dev:abc"
LABELS = ("--label", "local_aws.instance=mine", "--label", "local_aws.build=b1")


def rewritten(*words: str, podman: bool = False) -> tuple[str, ...]:
    return rewrite(list(words), RewriteContext(REGISTRY, "mine", "b1", podman)).words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("login", "-u", "AWS", HOST), ("login", "-u", "AWS", REGISTRY)),
        (("login", f"https://{HOST}"), ("login", REGISTRY)),
        (("login", f"{HOST}/images-dev"), ("login", REGISTRY)),
        (("push", IMAGE), ("push", OURS)),
        (("image", "push", IMAGE), ("image", "push", OURS)),
        (("pull", f"{HOST}/a@sha256:1"), ("pull", f"{REGISTRY}/123456789012/a@sha256:1")),
        (("tag", "a:1", IMAGE), ("tag", "a:1", OURS)),
        (("build", f"--tag={IMAGE}", "."), ("build", f"--tag={OURS}", ".")),
        (("build", "--build-arg", f"A={HOST}", "."), ("build", "--build-arg", f"A={HOST}", ".")),
        (("pull", "python:3.9"), ("pull", "python:3.9")),
        (("run", IMAGE, "echo", IMAGE), ("run", *LABELS, OURS, "echo", IMAGE)),
        (("network", "create", "n"), ("network", "create", *LABELS, "n")),
        (("ps", "-a"), ("ps", "--filter", "label=local_aws.build=b1", "-a")),
        (("--version",), ("--version",)),
    ],
)
def test_names_of_ecr_and_no_others_become_names_of_the_gateway(
    words: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert rewritten(*words) == expected


def test_podman_trusts_the_gateway_without_tls_and_no_other_registry() -> None:
    assert rewritten("push", IMAGE, podman=True) == ("push", "--tls-verify=false", OURS)
    assert rewritten("pull", "python:3.9", podman=True) == ("pull", "python:3.9")
    assert "--tls-verify=false" not in rewritten("build", "-t", IMAGE, ".", podman=True)


def test_podman_builds_without_its_cache_which_mixes_up_build_arguments() -> None:
    assert "--layers=false" in rewritten("build", ".", podman=True)


def test_podman_builds_images_of_dockers_format_which_keeps_a_health_check() -> None:
    assert "--format=docker" in rewritten("build", ".", podman=True)
    assert "--format=docker" not in rewritten("build", ".")


@pytest.mark.parametrize(
    "words", [("compose", "up"), ("system", "prune", "-f"), ("image", "prune"), ("--context", "x", "ps")]
)
def test_a_command_that_affects_more_than_the_build_is_refused_by_name(words: tuple[str, ...]) -> None:
    with pytest.raises(RefusedError, match=f"does not run `docker {words[0]} {words[1]}`"):
        rewritten(*words)


class Docker:
    """A build's `docker` on a fake engine."""

    def __init__(
        self, folder: Path, *, privileged: bool = True, registry: str = REGISTRY, special: str = ""
    ) -> None:
        self.fake = FakeEngine(folder / "engine", special=special)
        self.engine = engine_of(self.fake, folder / "state", registry)
        self.bin = folder / "bin"
        self.engine.write_docker(self.bin, privileged=privileged)

    def __call__(self, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LOCAL_AWS_INSTANCE": "mine"}
        return subprocess.run(  # noqa: S603 - the script under test
            [self.bin / "docker", *words],
            input=given,
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )


def test_a_login_stays_in_the_builds_own_folder(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    assert docker("login", "--username", "AWS", "--password-stdin", HOST, given="secret").returncode == 0
    assert (docker.fake.folder / "password").read_text() == "secret"
    assert docker.fake.commands("login") == [
        ["login", "--tls-verify=false", "--username", "AWS", "--password-stdin", REGISTRY]
    ]
    folder = docker.bin / ".docker"
    assert f"DOCKER_CONFIG={folder}" in docker.fake.variables()
    assert f"REGISTRY_AUTH_FILE={folder / 'config.json'}" in docker.fake.variables()
    docker.engine.end_docker(docker.bin)
    assert not folder.exists()
    docker.engine.stop()


PUBLIC_LOGIN = ("login", "--username", "AWS", "--password-stdin", "public.ecr.aws")


@pytest.fixture
def public() -> PublicRegistry:
    """Return a public registry that admits one pull an hour without a login."""
    found = PublicRegistry(pulls_per_second=1 / 3600)
    found.logins["token"] = time.time() + 60
    return found


@pytest.fixture
def signed_out(tmp_path: Path, public: PublicRegistry) -> Iterator[Docker]:
    """Return the `docker` of a build that can reach the public registry."""
    with serving(make_ecr(tmp_path / "ecr"), public) as endpoint:
        docker = Docker(tmp_path, registry=endpoint.removeprefix("http://"))
        yield docker
        docker.engine.stop()


def test_pulls_from_public_ecr_are_limited_without_a_login(signed_out: Docker) -> None:
    """Pitfall F11. An image that the engine has is not pulled again: it may be made on this machine."""
    assert signed_out("pull", "--quiet", BASE).returncode == 0
    refused = signed_out("pull", "--quiet", BASE)
    assert (refused.returncode, refused.stderr) == (
        1,
        "Error response from daemon: toomanyrequests: Rate exceeded\n",
    )
    assert signed_out(*PUBLIC_LOGIN, given="wrong").returncode == 1
    assert signed_out(*PUBLIC_LOGIN, given="token\n").stdout == "Login Succeeded\n"
    assert signed_out("pull", BASE).returncode == 0
    assert signed_out.fake.commands("login") == signed_out.fake.commands("pull") == []


def test_an_image_of_public_ecr_that_the_engine_lacks_is_pulled(
    tmp_path: Path, public: PublicRegistry
) -> None:
    with serving(make_ecr(tmp_path / "ecr"), public) as endpoint:
        special = 'if [ "$1" = image ]; then echo "no such image" >&2; exit 1; fi'
        docker = Docker(tmp_path, registry=endpoint.removeprefix("http://"), special=special)
        docker("pull", "--quiet", BASE)
        assert docker.fake.commands("pull") == [["pull", "--quiet", BASE]]
        docker.engine.stop()


def test_the_engine_gets_the_path_and_variables_of_local_aws(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # A build's PATH and variables are its machine's; podman would miss its own programs on it.
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/opt/engine")
    monkeypatch.setenv("CONTAINERS_CONF", "/etc/ours.conf")
    docker = Docker(tmp_path)
    monkeypatch.delenv("CONTAINERS_CONF")
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    docker("ps")
    assert "CONTAINERS_CONF=/etc/ours.conf" in docker.fake.variables()
    assert any(line.startswith("PATH=") and line.endswith("/opt/engine") for line in docker.fake.variables())
    docker.engine.stop()


def test_output_that_names_the_gateway_names_ecr_instead(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    done = docker("push", IMAGE)
    assert (done.stdout, done.stderr) == (f"pushed to {IMAGE}\n", f"warned of {IMAGE}\n")
    assert docker.fake.commands("push") == [["push", "--tls-verify=false", OURS]]
    docker.engine.stop()


def test_images_that_a_build_names_are_recorded(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    for done in (docker("build", "-t", IMAGE, "-t", "mine:1", "."), docker("tag", "mine:1", "mine:2")):
        assert done.returncode == 0, done.stderr
    assert docker.engine.record.read_images() == [OURS, "mine:1", "mine:2"]
    docker.engine.stop()


def test_without_privileged_mode_the_daemon_cannot_be_reached(tmp_path: Path) -> None:
    docker = Docker(tmp_path, privileged=False)
    done = docker("build", ".")
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    )
    assert not docker.fake.commands()
    docker.engine.stop()


def test_the_end_of_a_build_kills_its_containers(tmp_path: Path) -> None:
    docker = Docker(tmp_path)
    docker("run", "-d", IMAGE)
    assert docker.fake.containers == ["c0"]
    docker.engine.end_docker(docker.bin)
    assert docker.fake.containers == []
    labels = [word for word in docker.fake.commands("ps")[0] if word.startswith("label=")]
    assert labels
    assert labels[0].startswith("label=local_aws.build=")
    assert not (docker.bin / "docker").exists()
    docker.engine.stop()
