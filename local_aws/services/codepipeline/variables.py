"""Variables of a pipeline: `#{namespace.key}` in an action's configuration, checked and resolved."""

import re
from collections.abc import Mapping

REFERENCE = re.compile(r"#\{([^}]*)\}")

# Namespaces that exist without an action: the execution itself, and the pipeline-level variables of V2.
RESERVED = frozenset({"codepipeline", "variables"})

Namespaces = Mapping[str, Mapping[str, str]]


class UnresolvedVariableError(Exception):
    """A reference to a variable that the producing action did not produce."""


def references(value: str) -> list[str]:
    """Return what stands between `#{` and `}` in `value`, in order."""
    return REFERENCE.findall(value)


def resolve(configuration: Mapping[str, str], namespaces: Namespaces) -> dict[str, str]:
    """Return `configuration` with every reference replaced; raises `UnresolvedVariableError`."""
    return {
        key: REFERENCE.sub(lambda match: _value(match.group(1), namespaces), value)
        for key, value in configuration.items()
    }


def _value(reference: str, namespaces: Namespaces) -> str:
    namespace, _, key = reference.partition(".")
    try:
        return namespaces[namespace][key]
    except KeyError as error:
        raise UnresolvedVariableError(
            "An action configuration variable cannot be resolved."
            f" The variable reference that could not be resolved is: #{{{reference}}}"
        ) from error
