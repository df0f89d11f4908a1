"""podman with files, a network and settings of its own: nobody else's containers and images are seen.

https://github.com/containers/common/blob/main/docs/containers.conf.5.md
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from integration_tests.engines.base_image import BaseImage
from integration_tests.engines.machine import own_folder, remove_bridge, run

BRIDGE, NETWORK = "engines-podman", "10.213.18"
_STORAGE = """[storage]
driver = "overlay"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""
# By default it asks for more than root may have without CAP_SYS_RESOURCE.
_CONTAINERS = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]

[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
static_dir = "{folder}/graph/libpod"
tmp_dir = "{folder}/tmp"
volume_path = "{folder}/graph/volumes"

[network]
network_backend = "cni"
network_config_dir = "{folder}/networks"
default_network = "engines"
"""


@contextmanager
def podman() -> Iterator[Mapping[str, str]]:
    """Prepare a podman that has the base image; yield the variables with which `podman` is that one."""
    with own_folder("podman") as folder:
        variables = _write_settings(folder)
        image = BaseImage.write(folder)
        try:
            with patch.dict(os.environ, variables):
                run("podman", "import", "--quiet", *image.changes, image.archive, image.tag)
                _add_digest(folder, image)
            yield variables
        finally:
            with patch.dict(os.environ, variables):
                run("podman", "rm", "--all", "--force", "--time", "0")
            remove_bridge(BRIDGE)


def _write_settings(folder: Path) -> Mapping[str, str]:
    (folder / "networks").mkdir()
    (folder / "networks" / "engines.conflist").write_text(json.dumps(_network(folder)))
    (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
    (folder / "containers.conf").write_text(_CONTAINERS.format(folder=folder))
    return {
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
    }


def _network(folder: Path) -> Mapping[str, object]:
    """Return a network without the plugins that write rules of a firewall."""
    ranges = [[{"subnet": f"{NETWORK}.0/24", "gateway": f"{NETWORK}.1"}]]
    addresses = {"type": "host-local", "dataDir": str(folder / "addresses"), "ranges": ranges}
    bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "ipMasq": False, "ipam": addresses}
    return {"cniVersion": "0.4.0", "name": "engines", "plugins": [bridge, {"type": "tuning"}]}


def _add_digest(folder: Path, image: BaseImage) -> None:
    """Let the image have the digest by which a FROM pins it: no command gives one to what was not pulled."""
    (store,) = folder.glob("graph/*-images/images.json")
    (content,) = json.loads(store.read_text())
    store.write_text(json.dumps([{**content, "digest": image.digest}]))
