"""The cloud assembly that `cdk synth` writes: its templates and assets, to read and to change."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Properties = dict[str, Any]
Edit = Callable[[Properties], None]
Template = dict[str, Any]

ROOT = "Stack.template.json"
ASSETS = "Stack.assets.json"
STACK = "AWS::CloudFormation::Stack"
# The files that name an asset by its hash.
REFERRERS = (ROOT, ASSETS, "manifest.json")


@dataclass(frozen=True)
class Assembly:
    """The cloud assembly in `folder`: one root stack with nested stacks."""

    folder: Path

    @property
    def root(self) -> Template:
        """The root stack's template."""
        return _read(self.folder / ROOT)

    @property
    def nested(self) -> dict[str, Template]:
        """The nested stacks' templates, by their logical id in the root template."""
        return {name: _read(path) for name, path in self._nested_paths()}

    @property
    def assets(self) -> dict[str, Any]:
        """The file assets by their hash, as the CDK's asset manifest lists them."""
        files: dict[str, Any] = _read(self.folder / ASSETS)["files"]
        return files

    def asset(self, name: str) -> Path:
        """Return the folder of the asset whose display name ends with `name`."""
        found = (one["source"]["path"] for one in self.assets.values() if one["displayName"].endswith(name))
        (path,) = found
        return self.folder / str(path)

    def edit(self, edits: Mapping[str, Edit]) -> None:
        """Edit the properties of every nested resource of the given types, as a commit to the app would.

        A changed template gets a new asset hash, since the CDK CLI uploads no asset that exists already.
        Raises `LookupError` if a type has no resource.
        """
        missing = set(edits)
        for _, path in self._nested_paths():
            template = _read(path)
            for resource in template["Resources"].values():
                if resource["Type"] in edits:
                    edits[resource["Type"]](resource["Properties"])
                    missing.discard(resource["Type"])
            self._replace(path, json.dumps(template, indent=1))
        if missing:
            raise LookupError(f"no template has a resource of {', '.join(sorted(missing))}")
        root = self.folder / ROOT
        self._replace(root, root.read_text() + "\n")

    def _nested_paths(self) -> Iterator[tuple[str, Path]]:
        for name, resource in self.root["Resources"].items():
            if resource["Type"] == STACK:
                yield name, self.folder / resource["Metadata"]["aws:asset:path"]

    def _replace(self, path: Path, text: str) -> None:
        path.write_text(text)
        old = next(key for key, one in self.assets.items() if one["source"]["path"] == path.name)
        new = hashlib.sha256(text.encode()).hexdigest()
        for name in REFERRERS:
            file = self.folder / name
            file.write_text(file.read_text().replace(old, new))


def _read(path: Path) -> Template:
    found: Template = json.loads(path.read_text())
    return found
