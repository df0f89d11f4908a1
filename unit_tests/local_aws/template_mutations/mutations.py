"""Generates the mutations of resources from the schemas of their types."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import regex

from local_aws.core.resource_schemas import schema_of
from local_aws.core.schema_keywords import Schema
from unit_tests.local_aws.template_mutations.dangling import dangling_values
from unit_tests.local_aws.template_mutations.flat_template import Resources
from unit_tests.local_aws.template_mutations.malformed_policies import malformed, policies

PropertyPath = tuple[str | int, ...]
NOTHING = "NothingOfThisName"


@dataclass(frozen=True)
class Mutation:
    """One change of one resource; `resource` is the changed one."""

    kind: str
    resource_type: str
    logical_id: str
    path: PropertyPath
    resource: dict[str, Any]

    @property
    def name(self) -> str:
        """The type, the path with `*` for each index, and the kind."""
        return f"{self.resource_type} {generic(self.path)}: {self.kind}"


def generic(path: PropertyPath) -> str:
    """Return a path with `*` for each index."""
    return "/".join("*" if isinstance(part, int) else part for part in path)


def mutations(resources: Resources) -> list[Mutation]:
    """Return every mutation once for each property of each resource type."""
    found: dict[str, Mutation] = {}
    for logical_id, resource in resources.items():
        for kind, path, changed in _of_resource(resource, resources):
            mutation = Mutation(kind, resource["Type"], logical_id, path, changed)
            found.setdefault(mutation.name, mutation)
    return list(found.values())


def _of_resource(
    resource: dict[str, Any], resources: Resources
) -> Iterator[tuple[str, PropertyPath, dict[str, Any]]]:
    schema = schema_of(resource["Type"])
    properties = resource.get("Properties", {})
    if schema is not None:
        for kind, path, value in _Walk(schema).mutated(properties, schema, ()):
            yield kind, path, _with(resource, ("Properties", *path), value)
    for kind, path, value in _references_to_nothing(properties, ()):
        yield kind, path, _with(resource, ("Properties", *path), value)
    for path, value in dangling_values(properties, resources):
        yield "dangling id", path, _with(resource, ("Properties", *path), value)
    for key, document in policies(properties):
        for kind, changed in malformed(document):
            yield kind, key, _with(resource, ("Properties", *key), changed)
    yield "dangling DependsOn", (), {**resource, "DependsOn": NOTHING}
    yield "dangling Condition", (), {**resource, "Condition": NOTHING}


class _Absent:
    """The value of a property that a mutation takes away."""


def _with(resource: dict[str, Any], path: PropertyPath, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(resource)
    changed.setdefault("Properties", {})
    place: Any = changed
    for part in path[:-1]:
        place = place[part]
    if isinstance(value, _Absent):
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


def _is_function(value: Any) -> bool:
    name = next(iter(value)) if isinstance(value, Mapping) and len(value) == 1 else ""
    return name == "Ref" or name.startswith("Fn::")


def _references_to_nothing(value: Any, path: PropertyPath) -> Iterator[tuple[str, PropertyPath, Any]]:
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _references_to_nothing(each, (*path, number))
    elif isinstance(value, Mapping):
        if value.keys() == {"Ref"} and not value["Ref"].startswith("AWS::"):
            yield "dangling Ref", path, {"Ref": NOTHING}
        elif value.keys() == {"Fn::GetAtt"}:
            yield "dangling GetAtt", path, {"Fn::GetAtt": [NOTHING, "Arn"]}
        else:
            for key, each in value.items():
                yield from _references_to_nothing(each, (*path, key))


class _Walk:
    """Walks values and their schema together."""

    def __init__(self, root: Schema) -> None:
        self._root = root

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            found: Any = self._root
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def mutated(
        self, value: Any, given: Schema, path: PropertyPath
    ) -> Iterator[tuple[str, PropertyPath, Any]]:
        schema = self._resolved(given)
        if path:
            for kind, changed in _violating(schema):
                yield kind, path, changed
        if _is_function(value):
            return
        if isinstance(value, Mapping) and "properties" in schema:
            yield from self._of_object(value, schema, path)
        elif isinstance(value, list) and isinstance(schema.get("items"), Mapping):
            for number, each in enumerate(value):
                yield from self.mutated(each, schema["items"], (*path, number))

    def _of_object(
        self, value: Schema, schema: Schema, path: PropertyPath
    ) -> Iterator[tuple[str, PropertyPath, Any]]:
        if schema.get("additionalProperties") is False:
            yield "unknown property", (*path, NOTHING), "value"
        for key in value:
            if key in schema.get("required", ()):
                yield "missing", (*path, key), _Absent()
        for key, member in schema["properties"].items():
            if key in value:
                yield from self.mutated(value[key], member, (*path, key))
            elif not _is_read_only(self._root, path, key):
                for kind, changed in _violating(self._resolved(member)):
                    yield kind, (*path, key), changed


def _is_read_only(root: Schema, path: PropertyPath, key: str) -> bool:
    return "/".join(["", "properties", *map(str, path), key]) in root.get("readOnlyProperties", ())


def _violating(schema: Schema) -> Iterator[tuple[str, Any]]:
    """Yield a value that violates each keyword of a schema."""
    types = schema.get("type", ())
    wrong = _of_wrong_type([types] if isinstance(types, str) else list(types))
    if wrong is not None:
        yield "wrong type", wrong
    if "enum" in schema or "enumCaseInsensitive" in schema:
        yield "out of the enumeration", "NotInTheEnumeration"
    if "pattern" in schema:
        for text in ("", "!", "\N{SNOWMAN} not the pattern", "x" * 5000):
            if not regex.search(schema["pattern"], text):
                yield "out of the pattern", text
                break
    for keyword, changed in _bounds(schema).items():
        if keyword in schema:
            yield f"out of {keyword}", changed


def _bounds(schema: Schema) -> dict[str, Any]:
    least, longest = int(schema.get("minLength", 0)), int(schema.get("maxLength", 0))
    bounds: dict[str, Any] = {
        "minimum": schema.get("minimum", 0) - 1,
        "maximum": schema.get("maximum", 0) + 1,
        "maxLength": "a" * (longest + 1),
    }
    if least:
        bounds["minLength"] = "a" * (least - 1)
    if int(schema.get("minItems", 0)):
        bounds["minItems"] = []
    return bounds


def _of_wrong_type(types: list[str]) -> Any:
    """Return a value that CloudFormation converts to none of these types."""
    if not types:
        return None
    if "array" not in types and "object" not in types:
        return {"Wrong": "type"} if "string" in types else "wrong"
    if "object" in types:
        return None if "array" in types else ["wrong"]
    return {"Wrong": "type"}
