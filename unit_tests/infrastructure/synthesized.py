"""The synthesized templates as plain data, asked by type and property, never by a hashed id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App

from infrastructure.config.settings import Config
from infrastructure.stacks.root import RootStack
from tools.assembly import defaults
from tools.iam_docs import references as readings

PROJECT = Path(__file__).resolve().parent.parent.parent
PARTS = ("root", "network", "compute", "pipeline")
SHARED = {
    "trustedAccounts": "111111111111,222222222222",
    "promoteTo": "staging@222222222222,prod@333333333333",
    "githubRepository": "acme/greeter",
    "githubBranches": ["main", "release/1"],
    "githubEnvironments": "dev",
    "githubOwnerId": 1234567,
    "githubRepositoryId": "7654321",
    "createGithubOidcProvider": "true",
}


class Resource(readings.Resource):
    """One resource of one template; `id` is its logical id, to follow references, not to assert on."""

    @property
    def depends_on(self) -> set[str]:
        """Every logical id that must stand before this one: DependsOn, Ref, GetAtt and Sub, at any depth."""
        declared = self.body.get("DependsOn", [])
        return {declared} if isinstance(declared, str) else set(declared) | references(self.properties)


@dataclass(frozen=True)
class Templates:
    """The root template and its nested ones; `access` only when asked for."""

    by_part: Mapping[str, dict[str, Any]]

    def resources(self, type_: str | None = None, part: str | None = None) -> list[Resource]:
        """List resources, of one type and of one template if given."""
        return [
            Resource(name, id_, body)
            for name, template in self.by_part.items()
            for id_, body in template["Resources"].items()
            if part in (None, name) and type_ in (None, body["Type"])
        ]

    def only(self, type_: str, **properties: object) -> Resource:
        """Find the one resource of this type with these properties; anything else fails the test."""
        found = [
            resource
            for resource in self.resources(type_)
            if all(plain(resource.properties.get(key)) == value for key, value in properties.items())
        ]
        assert len(found) == 1, f"{len(found)} resources {type_} with {properties}"
        return found[0]


def context(**overrides: object) -> dict[str, Any]:
    """The context of cdk.json for environment dev, as `cdk` hands it to the app."""
    return defaults() | overrides


def synthesize(folder: Path, **overrides: object) -> Templates:
    """Synthesize the app into `folder` and read its templates."""
    given = context(**overrides)
    app = App(context=given, outdir=str(folder))
    RootStack(app, config=Config.from_context(given))
    app.synth()
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert not manifest.get("missing"), "the CDK would ask AWS, which needs credentials"
    made = [each for each in manifest["artifacts"].values() if each["type"] == "aws:cloudformation:stack"]
    assert len(made) == 1, "a person deploys one stack: no support stack of the CDK beside it"
    templates = {"root": json.loads((folder / "Stack.template.json").read_text("utf-8"))}
    for part in PARTS[1:]:
        (nested,) = folder.glob(f"*{part.capitalize()}*.nested.template.json")
        templates[part] = json.loads(nested.read_text("utf-8"))
    for nested in folder.glob("*Access*.nested.template.json"):  # Only when asked for.
        templates["access"] = json.loads(nested.read_text("utf-8"))
    return Templates(templates)


def references(value: object) -> set[str]:
    """Collect the logical ids that a property names, pseudo parameters left out."""
    if isinstance(value, list):
        return {id_ for item in value for id_ in references(item)}
    if not isinstance(value, dict):
        return set()
    found = {id_ for item in value.values() for id_ in references(item)}
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        found.add(value["Fn::GetAtt"][0])
    return {id_ for id_ in found if not id_.startswith("AWS::")}


def plain(value: Any) -> Any:
    """Write intrinsics as text, as a person reads them: `arn:aws:...:<AWS::AccountId>:...`."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(str(plain(part)) for part in parts)
        case {"Fn::Sub": text}:
            return text
    return {key: plain(item) for key, item in value.items()}


def statements(role: Resource) -> Iterator[dict[str, Any]]:
    """List what a role may do, actions and resources always as lists."""
    for policy in role.properties.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            yield {
                **statement,
                "Action": listed(statement["Action"]),
                "Resource": listed(plain(statement["Resource"])),
            }


def listed(value: Any) -> list[Any]:
    """Make a list of what IAM writes as one or as many."""
    return value if isinstance(value, list) else [value]
