"""References to variables, `#{namespace.key}`, in an action's configuration."""

import re
from collections.abc import Mapping

from local_aws.services.codepipeline.errors import UnresolvedVariableError

REFERENCE = re.compile(r"#\{([^}]*)\}")

# Namespaces that no action produces: the execution's own, and the pipeline-level variables of V2.
RESERVED_NAMESPACES = frozenset({"codepipeline", "variables"})

Namespaces = Mapping[str, Mapping[str, str]]


def references(value: str) -> list[str]:
    """Return the references in `value` (the text between `#{` and `}`), in order."""
    return REFERENCE.findall(value)


def resolve(configuration: Mapping[str, str], namespaces: Namespaces) -> dict[str, str]:
    """Return `configuration` with each reference replaced; raises `UnresolvedVariableError`."""
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
