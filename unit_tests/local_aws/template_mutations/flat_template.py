"""One template of all stacks of an assembly, with neither parameters nor outputs of nested stacks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NESTED = "AWS::CloudFormation::Stack"
ROOT = "Stack"
ASSET = "aws:asset:path"
Resources = dict[str, dict[str, Any]]


def flat_resources(assembly: Path) -> Resources:
    """Return the resources of the root stack and its nested stacks, without what only deploys them."""
    root = _read(assembly / f"{ROOT}.template.json")
    children = {
        name: _read(assembly / resource["Metadata"][ASSET])
        for name, resource in root["Resources"].items()
        if resource["Type"] == NESTED
    }
    flat = _Flat(root, children)
    own = {name: each for name, each in root["Resources"].items() if name not in children}
    found = {name: flat.resolve(each, None) for name, each in own.items()}
    for child, template in children.items():
        found |= {f"{child}{name}": flat.resolve(each, child) for name, each in template["Resources"].items()}
    return {
        name: each for name, each in found.items() if not each["Type"].startswith(("Custom::", "AWS::CDK"))
    }


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


class _Flat:
    def __init__(self, root: Mapping[str, Any], children: Mapping[str, Mapping[str, Any]]) -> None:
        self.root = root
        self.children = children

    def resolve(self, value: Any, stack: str | None) -> Any:
        """Return a value of a stack (None is the root) with the names of the one template."""
        if isinstance(value, list):
            return [self.resolve(each, stack) for each in value]
        if not isinstance(value, Mapping):
            return value
        if value.keys() == {"Ref"}:
            return self._ref(value["Ref"], stack)
        if value.keys() == {"Fn::GetAtt"}:
            name, attribute = value["Fn::GetAtt"]
            return self._attribute(name, attribute, stack)
        resolved = {key: self.resolve(each, stack) for key, each in value.items() if key != "Metadata"}
        if "DependsOn" in value and "Type" in value:
            resolved["DependsOn"] = self._dependencies(value["DependsOn"], stack)
        return resolved

    def _ref(self, name: str, stack: str | None) -> Any:
        if stack is None:
            return {"Ref": name}
        parameters = self.root["Resources"][stack]["Properties"].get("Parameters", {})
        if name in parameters:
            return self.resolve(parameters[name], None)
        return {"Ref": f"{stack}{name}" if name in self.children[stack]["Resources"] else name}

    def _attribute(self, name: str, attribute: str, stack: str | None) -> Any:
        if stack is None and name in self.children:
            output = self.children[name]["Outputs"][attribute.removeprefix("Outputs.")]
            return self.resolve(output["Value"], name)
        return {"Fn::GetAtt": [f"{stack or ''}{name}", attribute]}

    def _dependencies(self, given: str | list[str], stack: str | None) -> list[str]:
        names = [given] if isinstance(given, str) else given
        template = self.root if stack is None else self.children[stack]
        return [
            f"{stack or ''}{name}"
            for name in names
            if name not in self.children
            and not template["Resources"][name]["Type"].startswith(("Custom::", "AWS::CDK"))
        ]
