"""Pushes images through the registry's API: a configuration without layers."""

import hashlib
import json
from typing import Any

import requests

from harness.cloud import Cloud

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"


def push(cloud: Cloud, repository: str, tag: str, commit: str) -> requests.Response:
    """Push an image with a commit as its label; return the registry's response to the manifest."""
    token = cloud.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    url = f"{cloud.endpoint}/v2/{cloud.account.id}/{repository}"
    with requests.Session() as session:
        session.headers["Authorization"] = f"Basic {token}"
        labels = {"Labels": {"commit": commit}}
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": labels}).encode()
        digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        upload = session.post(f"{url}/blobs/uploads/", timeout=10)
        upload.raise_for_status()
        location = str(upload.headers["Location"])
        location = location if location.startswith("http") else f"{cloud.endpoint}{location}"
        session.put(location, params={"digest": digest}, data=config, timeout=10).raise_for_status()
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": len(config), "digest": digest},
            "layers": [],
        }
        headers = {"Content-Type": MANIFEST}
        return session.put(f"{url}/manifests/{tag}", data=json.dumps(manifest), headers=headers, timeout=10)
