"""Find what a cloud assembly would run on the machine that deploys it.

`cdk deploy` runs the command of an asset with an `executable`, and builds container images, with the
credentials of the deployment. The app has no such asset: one comes from code that ran at synthesis.
https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.cloud_assembly_schema.FileSource.html
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from operations.errors import OperationsError

# The artifacts of an app with one stack. Another, such as a nested assembly, would be deployed unread.
KNOWN = {"aws:cloudformation:stack", "cdk:asset-manifest", "cdk:feature-flag-report", "cdk:tree"}
ASSET_IN_METADATA = "aws:cdk:asset"


def find_commands(folder: Path) -> list[str]:
    """Return one sentence for each asset that runs a command; or raise `OperationsError` if unreadable."""
    try:
        artifacts = _read(folder / "manifest.json")["artifacts"]
        return [problem for id_, one in artifacts.items() for problem in _problems(folder, id_, one)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise OperationsError(
            f"{folder} is no cloud assembly that can be read: run `cdk synth` first"
        ) from error


def _problems(folder: Path, id_: str, artifact: Mapping[str, Any]) -> Iterator[str]:
    kind = artifact["type"]
    if kind not in KNOWN:
        yield f"{folder} has an artifact {id_} of type {kind}, which the app does not make: synthesize again"
    elif kind == "cdk:asset-manifest":
        yield from _commands_of_assets(folder / artifact["properties"]["file"])
    elif kind == "aws:cloudformation:stack":
        yield from _images_in_metadata(folder, artifact)


def _commands_of_assets(manifest: Path) -> Iterator[str]:
    assets = _read(manifest)
    for name, asset in assets.get("files", {}).items():
        if (command := asset["source"].get("executable")) is not None:
            yield _message(manifest, name, f"run {json.dumps(command)}")
    for name in assets.get("dockerImages", {}):
        yield _message(manifest, name, "build a container image")


def _images_in_metadata(folder: Path, artifact: Mapping[str, Any]) -> Iterator[str]:
    """Find the images of the legacy synthesizer, whose assets are metadata of the stack."""
    further = artifact.get("additionalMetadataFile")
    for metadata in (artifact.get("metadata", {}), _read(folder / further) if further else {}):
        for path, entries in metadata.items():
            for entry in entries:
                if entry["type"] == ASSET_IN_METADATA and entry["data"].get("packaging") == "container-image":
                    yield _message(folder, path, "build a container image")


def _message(place: Path, asset: str, what: str) -> str:
    return (
        f"{place}: asset {asset} would {what} with the credentials of the deployment, and the app has no "
        "such asset: find out what wrote it at synthesis, and do not deploy this assembly"
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
