"""A cloud assembly with something changed in its templates, as somebody's next commit to the app would."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Resource = dict[str, Any]
Edit = Callable[[Resource], None]
INDEX = ("Stack.template.json", "Stack.assets.json", "manifest.json")


def edit(folder: Path, edits: Mapping[str, Edit]) -> None:
    """Edit every resource of the given types, and give each changed template the name of its new content.

    An asset under its old name would not be uploaded again. Raises `LookupError` if an edit met nothing.
    """
    missing = set(edits)
    for path in folder.glob("*.nested.template.json"):
        template = json.loads(path.read_text())
        for resource in template["Resources"].values():
            if resource["Type"] in edits:
                edits[resource["Type"]](resource["Properties"])
                missing.discard(resource["Type"])
        _replace(folder, path, json.dumps(template, indent=1))
    if missing:
        raise LookupError(f"no template has {missing}")
    root = folder / "Stack.template.json"
    _replace(folder, root, root.read_text() + "\n")


def _replace(folder: Path, path: Path, text: str) -> None:
    path.write_text(text)
    assets = json.loads((folder / "Stack.assets.json").read_text())["files"]
    old = next(key for key, one in assets.items() if one["source"]["path"] == path.name)
    new = hashlib.sha256(text.encode()).hexdigest()
    for name in INDEX:
        index = folder / name
        index.write_text(index.read_text().replace(old, new))
