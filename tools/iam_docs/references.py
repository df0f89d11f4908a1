"""What the references of a template stand for: ARNs and names, across nested stacks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tools.assembly import NESTED_STACK, Assembly, Resource
from tools.iam_docs.arns import ARNS, PSEUDO, REF_IS_ARN


class UnreadableError(Exception):
    """A reference that is not supported here; the page must not guess."""


class References:
    """Resolves the references of one environment."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly

    def text(self, value: Any, stack: str) -> str:
        """Return a value of a template of `stack` as text.

        Raises UnreadableError for an intrinsic function or an attribute that is not supported here.
        """
        match value:
            case str():
                return value
            case bool():
                return str(value).lower()
            case int():
                return str(value)
            case {"Ref": str(name)}:
                return self._ref(name, stack)
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._attribute(name, attribute, stack)
            case {"Fn::Join": [str(separator), list(parts)]}:
                return separator.join(self.text(each, stack) for each in parts)
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([\w:]+)\}", lambda found: self._ref(found[1], stack), text)
        raise UnreadableError(f"{stack}: {json.dumps(value)}")

    def plain(self, value: Any, stack: str) -> Any:
        """Return a value with every reference in it as text."""
        if isinstance(value, list):
            return [self.plain(each, stack) for each in value]
        if isinstance(value, dict) and not (
            len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))
        ):
            return {key: self.plain(each, stack) for key, each in value.items()}
        return self.text(value, stack)

    def _ref(self, name: str, stack: str) -> str:
        if name in PSEUDO:
            return PSEUDO[name]
        if name in self._assembly.templates[stack].section("Parameters"):
            return self._parameter(name, stack)
        resource = self._resource(name, stack)
        return self._arn(resource) if resource.type in REF_IS_ARN else self._name(resource)

    def _parameter(self, name: str, stack: str) -> str:
        for nested in self._assembly.resources(NESTED_STACK):
            given: Mapping[str, Any] = nested.properties.get("Parameters", {})
            if self._assembly.nested(nested).stack == stack and name in given:
                return self.text(given[name], nested.stack)
        raise UnreadableError(f"{stack}: no stack passes the parameter {name}")

    def _attribute(self, name: str, attribute: str, stack: str) -> str:
        resource = self._resource(name, stack)
        if resource.type == NESTED_STACK:
            nested = self._assembly.nested(resource)
            output = nested.section("Outputs")[attribute.removeprefix("Outputs.")]
            return self.text(output["Value"], nested.stack)
        if attribute in ("Arn", "TopicArn", "ListenerArn", "LoadBalancerArn", "RoleArn"):
            return self._arn(resource)
        if attribute in ("Name", "TopicName", ARNS.get(resource.type, (None, ""))[0]):
            return self._name(resource)
        if attribute == "DefaultSecurityGroup":
            return f"<the default group of {resource.path}>"
        raise UnreadableError(f"{stack}: {attribute} of {resource.type}")

    def _resource(self, name: str, stack: str) -> Resource:
        return Resource(stack, name, self._assembly.templates[stack].body["Resources"][name])

    def _name(self, resource: Resource) -> str:
        if resource.type not in ARNS:
            raise UnreadableError(f"{resource.stack}: a reference to {resource.type}")
        named_by, _ = ARNS[resource.type]
        return self.text(resource.properties[named_by], resource.stack) if named_by else f"<{resource.path}>"

    def _arn(self, resource: Resource) -> str:
        return ARNS[resource.type][1].format(self._name(resource).removeprefix("https://"))
