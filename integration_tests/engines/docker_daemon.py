"""An own Docker Engine: its socket, its files and its bridge are nobody else's.

https://docs.docker.com/reference/cli/dockerd/#run-multiple-daemons
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.cloud import HarnessError
from integration_tests.engines.base_image import BaseImage
from integration_tests.engines.machine import last_line, own_bridge, own_folder, run
from operations.waiting import NotYetError, wait_for

BRIDGE, ADDRESS = "engines-docker", "10.213.17.1/24"
SECONDS = 60.0


@contextmanager
def docker() -> Iterator[Mapping[str, str]]:
    """Run a daemon that has the base image; yield the variables with which `docker` uses it."""
    with own_folder("docker") as folder, own_bridge(BRIDGE, ADDRESS):
        host = f"unix://{folder}/docker.sock"
        with _daemon(folder, host):
            image = BaseImage.write(folder)
            run("docker", "--host", host, "import", *image.changes, image.archive, image.tag)
        _add_digest(folder, image)
        with _daemon(folder, host):
            yield {"DOCKER_HOST": host}


# Instead of the machine's own, which may name another bridge. A new engine keeps its images in containerd,
# where no name can be added: https://docs.docker.com/engine/storage/containerd/
_CONFIGURATION = {"features": {"containerd-snapshotter": False}}


@contextmanager
def _daemon(folder: Path, host: str) -> Iterator[None]:
    log, configuration = folder / "dockerd.log", folder / "daemon.json"
    configuration.write_text(json.dumps(_CONFIGURATION))
    words = ["dockerd", "--host", host, "--pidfile", str(folder / "pid"), "--bridge", BRIDGE]
    words += ["--data-root", str(folder / "data"), "--exec-root", str(folder / "exec")]
    words += ["--config-file", str(configuration)]
    # It uses a containerd that is running already, and finds there what has its namespace.
    words += ["--containerd-namespace", BRIDGE, "--containerd-plugins-namespace", f"{BRIDGE}-plugins"]
    # Containers talk to this machine alone: builds find their packages in the base image.
    words += ["--iptables=false", "--ip6tables=false", "--ip-masq=false", "--ip-forward=false"]
    words += ["--exec-opt", "native.cgroupdriver=cgroupfs"]
    # It ends with this process, also if that is killed.
    words = ["setpriv", "--pdeathsig", "TERM", *words]
    with (
        log.open("wb") as output,
        subprocess.Popen(words, stdout=output, stderr=output, start_new_session=True) as process,  # noqa: S603
    ):
        try:
            wait_for("dockerd", lambda: _check_ready(process, host, log), deadline=SECONDS, interval=0.2)
            yield
        finally:
            process.terminate()


def _check_ready(process: "subprocess.Popen[bytes]", host: str, log: Path) -> None:
    if process.poll() is not None:
        raise HarnessError(f"dockerd does not start: {last_line(log.read_text())}")
    try:
        run("docker", "--host", host, "version", "--format", "{{.Server.Version}}")
    except HarnessError as error:
        raise NotYetError(str(error)) from error


def _add_digest(folder: Path, image: BaseImage) -> None:
    """Let the image have the digest by which a FROM pins it: no command gives one to what was not pulled.

    The daemon reads its store of names when it starts; this one has no other image.
    """
    (store,) = folder.glob("data/image/*/repositories.json")
    content = json.loads(store.read_text())
    names = content["Repositories"][image.repository]
    names[f"{image.repository}@{image.digest}"] = names[image.tag]
    store.write_text(json.dumps(content))
