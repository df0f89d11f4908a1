"""Renders the part of Go templates that builds use with `--format`: paths, `index` and `json`."""

import json
import re
from typing import Any

from local_aws.containers.docker_shim.state import DockerError

_ACTION = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_PATH = re.compile(r"(?:\.\w+)+\Z|\.\Z")


def render(template: str, content: Any) -> str:
    """Render a template. Raises `DockerError` for an unsupported action or a missing field."""
    return _ACTION.sub(lambda match: _text(_evaluate(match[1], content)), template)


def _evaluate(action: str, content: Any) -> Any:
    words = action.split()
    if len(words) == 1 and _PATH.match(words[0]):
        return _path(words[0], content)
    if len(words) == 2 and words[0] == "json":
        return json.dumps(_path(words[1], content))
    if len(words) == 3 and words[0] == "index":
        value, key = _path(words[1], content), words[2].strip('"')
        try:
            return value[int(key)] if isinstance(value, list) else value[key]
        except (IndexError, KeyError, ValueError, TypeError) as error:
            raise DockerError(
                f'template parsing error: template: :1:2: executing "" at <{action}>: error calling index: '
                f"index out of range: {key}"
            ) from error
    raise DockerError(f"local_aws (processes) cannot format: {{{{{action}}}}}; use docker", 125)


def _path(path: str, content: Any) -> Any:
    if not _PATH.match(path):
        raise DockerError(f"local_aws (processes) cannot format: {path}; use docker", 125)
    for name in path.strip(".").split(".") if path != "." else ():
        if not isinstance(content, dict) or name not in content:
            raise DockerError(
                f'template parsing error: template: :1:2: executing "" at <{path}>: '
                f'map has no entry for key "{name}"'
            )
        content = content[name]
    return content


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{' '.join(map(_text, value))}]"
    return "<no value>" if value is None else str(value)
