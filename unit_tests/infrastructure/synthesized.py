"""The synthesized templates for tests: resources are found by type and property, never by a hashed id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infrastructure.config.settings import Config
from tools.assembly import ROOT, Assembly, Resource
from tools.synthesis import defaults
from tools.synthesis import synthesize as synthesize_app
from unit_tests.assembly_cache import cached_assembly

PROJECT = Path(__file__).resolve().parent.parent.parent
PARTS = ("root", "network", "compute", "pipeline")
SHARED = {
    "promotedFrom": "qa@111111111111,test@222222222222",
    "approvers": "arn:aws:iam::111111111111:role/team/managers,arn:aws:iam::222222222222:user/mary",
    "promoteTo": "staging@222222222222,prod@333333333333",
    "githubRepository": "acme/greeter",
    "githubBranches": ["main", "release/1"],
    "githubEnvironments": "dev",
    "githubOwnerId": 1234567,
    "githubRepositoryId": "7654321",
    "createGithubOidcProvider": "true",
}


@dataclass(frozen=True)
class Templates:
    """The root template and its nested ones; `access` only with an option."""

    by_part: Mapping[str, dict[str, Any]]

    @classmethod
    def of(cls, assembly: Assembly) -> Templates:
        """Name the templates by the last part of the construct path of their stack."""
        parts = {stack: stack.rpartition("/")[2].lower() for stack in assembly.templates} | {ROOT: "root"}
        return cls({parts[stack]: template.body for stack, template in assembly.templates.items()})

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
    synthesize_app(context(**overrides), folder)
    return _read(folder)


def templates_of(**overrides: object) -> Templates:
    """Return the templates of a configuration that depends on nothing but this project's files."""
    return _read(cached_assembly(context(**overrides)))


def warnings(**overrides: object) -> list[str]:
    """Return the warnings that the CDK CLI prints for a configuration; tools acknowledge them."""
    from aws_cdk import App

    from infrastructure.stacks.root import RootStack

    given = context(**overrides)
    app = App(context=given)
    RootStack(app, config=Config.from_context(given))
    return [
        str(entry.data)
        for construct in app.node.find_all()
        for entry in construct.node.metadata
        if entry.type == "aws:cdk:warning"
    ]


def _read(folder: Path) -> Templates:
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert not manifest.get("missing"), "the CDK would look something up, which needs credentials"
    stacks = [each for each in manifest["artifacts"].values() if each["type"] == "aws:cloudformation:stack"]
    assert len(stacks) == 1, "one stack is deployed: the CDK adds no support stack"
    return Templates.of(Assembly.read(folder))


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


def role(templates: Templates, name: str) -> Resource:
    """Return the role of this name."""
    return templates.only("AWS::IAM::Role", RoleName=name)
