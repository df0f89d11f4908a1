"""The synthesized app as plain data, of which a part can be deployed."""

import subprocess
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.assembly import ROOT, Assembly
from harness.cloud import PROJECT, Cloud, HarnessError
from operations.cdk_cli import CDK

# The suffix at synthesis; each stack replaces it by its own.
SUFFIX = "the-suffix"
ASSETS = "cdk-hnb659fds-assets-${AWS::AccountId}-us-east-1"
# The resources that empty the artifact bucket before it is deleted; nothing refers to them.
ARTIFACTS = ("PipelineArtifactsBucketAutoDeleteObjectsCustomResourceDefault", "PipelineArtifactsBucketPolicy")

Resources = dict[str, dict[str, Any]]
# Replaces a reference: its function (Ref or Fn::GetAtt), the name, the whole expression.
Follow = Callable[[str, str, Any], Any]


@dataclass(frozen=True)
class SynthesizedApp:
    """The synthesized app. `nested` are the nested templates, by their stack's name.

    `resources` are the resources of all templates, by their path in the app: `PipelineBuildRole` is the role
    of Build in the nested stack Pipeline.
    """

    assembly: Assembly
    nested: dict[str, dict[str, Any]]
    resources: Resources

    def part(self, *names: str, without: tuple[str, ...] = ()) -> Resources:
        """Return a copy of the named resources and of those that they refer to.

        The resources `without` are left out; a reference to one becomes its physical name.
        """
        wanted: Resources = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            if name in wanted:
                continue
            wanted[name] = _replace_missing(deepcopy(self.resources[name]), self.resources, without)
            pending += references({**wanted[name], "DependsOn": []}) & self.resources.keys()
        for resource in wanted.values():
            resource["DependsOn"] = [one for one in resource["DependsOn"] if one in wanted]
        return wanted


def build_resources(app: SynthesizedApp) -> Resources:
    """Return a copy of the resources that a build of the tests or of the image needs."""
    # Build names its key by the alias, to which nothing refers.
    return app.part(
        "PipelineTestProject", "PipelineBuildProject", "PipelineBuildSigningKeyKeyAlias", *ARTIFACTS
    )


_APPS: dict[tuple[str, ...], SynthesizedApp] = {}


def synthesized(cloud: Cloud, *context: str, suffix: str = SUFFIX) -> SynthesizedApp:
    """Synthesize the app once in this process; `context` has further settings as KEY=VALUE.

    Raises `HarnessError` with the app's own line about a setting that it refuses.
    """
    settings = (f"environmentSuffix={suffix}", *context)
    if settings not in _APPS:
        folder = cloud.folder / f"synthesized-{len(_APPS)}"
        _APPS[settings] = _synthesize(folder, cloud.environment, settings)
    return _APPS[settings]


def _synthesize(folder: Path, environment: Mapping[str, str], settings: tuple[str, ...]) -> SynthesizedApp:
    context = [part for one in settings for part in ("-c", one)]
    command = [str(CDK), "synth", "--quiet", "--no-notices", "--output", str(folder), *context]
    done = subprocess.run(  # noqa: S603 - our own CDK CLI
        command, cwd=PROJECT, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise HarnessError(done.stderr.strip())
    assembly = Assembly(folder)
    stacks, templates = assembly.root["Resources"], assembly.nested
    own = {id_: resource for id_, resource in stacks.items() if id_ not in templates}
    nested = {_path(stacks[name]).split(".")[0]: template for name, template in templates.items()}
    joined = _joined({**stacks, ROOT: {"Properties": {}}}, {**templates, ROOT: {"Resources": own}})
    return SynthesizedApp(assembly, nested, joined)


def _joined(stacks: Resources, children: Mapping[str, Any]) -> Resources:
    """Join the resources of all stacks in one template; parameters become their values."""
    ids = {
        stack: {old: _id(resource) for old, resource in child["Resources"].items()}
        for stack, child in children.items()
    }

    def inside(stack: str) -> Follow:
        def follow(kind: str, name: str, whole: Any) -> Any:
            given = stacks[stack]["Properties"].get("Parameters", {})
            if kind == "Ref" and name in given:
                return replaced(given[name], outside)
            if name not in ids[stack]:
                return whole
            return {"Ref": ids[stack][name]} if kind == "Ref" else {kind: [ids[stack][name], whole[kind][1]]}

        return follow

    def outside(kind: str, name: str, whole: Any) -> Any:
        if kind != "Fn::GetAtt":
            return whole
        output = whole[kind][1].removeprefix("Outputs.")
        return replaced(children[name]["Outputs"][output]["Value"], inside(name))

    found: Resources = {}
    for stack, child in children.items():
        before = [one for other in stacks[stack].get("DependsOn", []) for one in _inside(other, ids)]
        for old, resource in child["Resources"].items():
            after = [ids[stack][one] for one in resource.get("DependsOn", [])]
            body = {key: value for key, value in resource.items() if key != "Metadata"}
            found[ids[stack][old]] = {**replaced(body, inside(stack)), "DependsOn": [*after, *before]}
    return found


def _inside(dependency: str, ids: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return the resources of a nested stack, or the root's own resource."""
    return list(ids[dependency].values()) if dependency in ids else [ids[ROOT][dependency]]


def _path(resource: Mapping[str, Any]) -> str:
    return str(resource["Metadata"]["aws:cdk:path"]).removeprefix("Stack/")


def _id(resource: Mapping[str, Any]) -> str:
    return "".join(filter(str.isalnum, _path(resource).removesuffix("/Resource")))


def _replace_missing(
    resource: dict[str, Any], resources: Resources, without: tuple[str, ...]
) -> dict[str, Any]:
    def follow(_kind: str, name: str, whole: Any) -> Any:
        if name not in without:
            return whole
        kind, properties = resources[name]["Type"].rpartition("::")[2], resources[name]["Properties"]
        return properties.get(f"{kind}Name") or properties["Name"]

    left: dict[str, Any] = replaced(resource, follow)
    return left


def replaced(value: Any, follow: Follow) -> Any:
    """Return a copy of `value` in which `follow` replaces each `Ref` and `Fn::GetAtt`."""
    if isinstance(value, list):
        return [replaced(one, follow) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return follow("Ref", value["Ref"], value)
    if set(value) == {"Fn::GetAtt"}:
        return follow("Fn::GetAtt", value["Fn::GetAtt"][0], value)
    return {key: replaced(one, follow) for key, one in value.items()}


def references(value: Any) -> set[str]:
    """Return the names that `value` refers to."""
    found: set[str] = set()

    def follow(_kind: str, name: str, whole: Any) -> Any:
        found.add(name)
        return whole

    replaced(value, follow)
    return found
