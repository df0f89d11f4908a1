"""Read the AppSpec of a deployment: only the platform's, with this environment's own test-traffic hook.

CodeDeploy invokes no function that the AppSpec does not name, so a hook cannot notice that it was left out:
https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
The Lambda runtime has no parser of YAML, so YAML is compared with the platform's, line by line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

HOOK = "AfterAllowTestTraffic"
# What may stand in place of the platform's placeholders.
_PLACEHOLDERS = {
    "<TASK_DEFINITION>": r"(?P<task>arn:[\w-]+:ecs:[\w-]+:\d{12}:task-definition/[\w-]+:\d+)",
    "${CONTAINER_PORT}": r"\d{1,5}",
}
_LINE = re.compile(r"(?P<key> *(?:- )?\w+:)(?: (?P<quote>[\"']?)(?P<value>.+)(?P=quote))?")


class AppSpecError(Exception):
    """The deployment must not go on; the message says what its AppSpec has instead."""


def task_definition(text: str, platform: str) -> str:
    """Return the ARN of the task definition that an AppSpec in YAML or JSON releases.

    `platform` is the platform's in YAML, with the hook's name. Raises AppSpecError for any other.
    """
    wanted = _lines(platform)
    given = _of_json(text) if text.lstrip().startswith("{") else _lines(text)
    # Only people leave it out: the platform's file has it.
    version = next(each for each in wanted if "PlatformVersion:" in each)
    if not any("PlatformVersion:" in each for each in given):
        wanted.remove(version)
    return _compare(given, wanted)


def names_hook(text: str, hook: str) -> bool:
    """Return whether an AppSpec in whatever form has this hook, outside of a comment."""
    return bool(
        re.search(rf"^[^#\n]*\b{HOOK}[\"']?\s*:\s*[\"']?{re.escape(hook)}\b(?!-)", text, re.MULTILINE)
    )


def _compare(given: Sequence[str], wanted: Sequence[str]) -> str:
    found = ""
    for number, line in enumerate(wanted):
        matched = re.fullmatch(_pattern(line), given[number]) if number < len(given) else None
        if matched is None:
            has = given[number].strip() if number < len(given) else "nothing"
            raise AppSpecError(f"the AppSpec has {has} in place of {line.strip()}")
        found = matched.groupdict().get("task") or found
    if len(given) > len(wanted):
        raise AppSpecError(f"the AppSpec also has {given[len(wanted)].strip()}")
    return found


def _lines(text: str) -> list[str]:
    """Return the lines without those that are empty or a comment."""
    lines = (line.rstrip() for line in text.splitlines())
    return [line for line in lines if line and not line.lstrip().startswith("#")]


def _pattern(line: str) -> str:
    """Return the pattern of a line of the platform's; a value may be quoted, as a whole and in one line."""
    parts = _LINE.fullmatch(line)
    if parts is None:
        raise AppSpecError(f"the platform's AppSpec has a line that this check does not know: {line}")
    if parts["value"] is None:
        return re.escape(parts["key"])
    value = re.escape(parts["value"])
    for placeholder, pattern in _PLACEHOLDERS.items():
        value = value.replace(re.escape(placeholder), pattern)
    return rf"{re.escape(parts['key'])} (?P<quote>[\"']?){value}(?P=quote)"


def _of_json(text: str) -> list[str]:
    """Return the lines that an AppSpec in JSON would have in YAML, in the order of the platform's."""
    try:
        document = json.loads(text, object_pairs_hook=_once)
        (resource,) = document["Resources"]
        properties = resource["TargetService"]["Properties"]
        info = properties["LoadBalancerInfo"]
        hooks = document.get("Hooks", [])
        lines = [f"version: {float(document['version'])}", "Resources:", "  - TargetService:"]
        lines += [f"      Type: {resource['TargetService']['Type']}", "      Properties:"]
        lines += [f"        TaskDefinition: {properties['TaskDefinition']}", "        LoadBalancerInfo:"]
        lines += [f"          {key}: {info[key]}" for key in ("ContainerName", "ContainerPort")]
        lines += [f"        {key}: {properties[key]}" for key in ("PlatformVersion",) if key in properties]
        lines += ["Hooks:"] if hooks else []
        lines += [f"  - {name}: {function}" for each in hooks for name, function in each.items()]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise AppSpecError(f"the AppSpec has another form ({type(error).__name__}: {error})") from None
    known = {"version", "Resources", "Hooks", "TargetService", "Type", "Properties", "TaskDefinition"}
    known |= {"LoadBalancerInfo", "ContainerName", "ContainerPort", "PlatformVersion", HOOK}
    for where in (document, resource, resource["TargetService"], properties, info, *hooks):
        if unknown := where.keys() - known:
            raise AppSpecError(f"the AppSpec also has {sorted(unknown)[0]}")
    return lines


def _once(pairs: Sequence[tuple[str, Any]]) -> Mapping[str, Any]:
    """Refuse a key that stands twice, of which CodeDeploy might read the other."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"a key stands twice in {[key for key, _ in pairs]}")
    return found
