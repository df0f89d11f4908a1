"""Look once a day for what goes wrong without a release, and publish one message about what is new or gone.

Each finding is told once, again when it changes, and once more when it is gone; a quiet day has no message.
This folder is the function's code, so its modules import only each other and what the Lambda runtime has.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import boto3
from botocore.config import Config

from .dates import ending_certificate, ending_exceptions, old_advisories
from .finding import Findings, changes, limited, remembered
from .images import Scans
from .listeners import Route, drifted_listeners, is_deploying
from .stacks import drifted_resources

_CALLS = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 4})
Check = Callable[[date], Findings | None]


class CheckError(Exception):
    """A check could not look; the message says which and why."""


def handler(_event: Mapping[str, Any], _context: object) -> dict[str, list[str]]:
    """Publish one message if something has changed since the last one, and remember what it says.

    It is remembered after it is published, so that an error between the two repeats a message and loses none.
    A check that cannot look leaves what was told of it, and raises CheckError after the others were told:
    Lambda invokes the function again, and an alarm counts the errors.
    """
    ssm, parameter = _client("ssm"), os.environ["TOLD"]
    told = json.loads(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
    found, errors = _look(datetime.now(UTC).date())
    changed = changes(told, found)
    if changed:
        _publish(changed)
        value = json.dumps(remembered(told, found), separators=(",", ":"))
        ssm.put_parameter(Name=parameter, Value=value, Overwrite=True)
    print(json.dumps({"looked": sorted(found), "told": changed, "errors": errors}))
    if errors:
        raise CheckError("; ".join(errors))
    return changed


def _look(today: date) -> tuple[dict[str, Findings], list[str]]:
    """Return what each check that could look has found, and the errors of the others."""
    checks: dict[str, Check] = {
        "listeners": _listeners,
        "CloudFormation": _stacks,
        "exceptions": lambda day: ending_exceptions(json.loads(os.environ["EXCEPTIONS"]), day),
        "advisories": lambda day: old_advisories(os.environ["ADVISORIES_UPDATED"], day),
        "certificate": lambda day: ending_certificate(_client("acm"), os.environ["CERTIFICATE"], day),
        "image scan": _images,
    }
    found: dict[str, Findings] = {}
    errors = []
    for name, check in checks.items():
        try:
            findings = check(today)
        # Whatever the error is: the other checks are told.
        except Exception as error:
            errors.append(f"{name}: {type(error).__name__}: {error}")
            continue
        if findings is not None:
            found[name] = limited(findings)
    return found, errors


def _listeners(_today: date) -> Findings | None:
    primary = _primary()
    if primary is None or is_deploying(
        _client("codedeploy"), os.environ["APPLICATION"], os.environ["DEPLOYMENT_GROUP"]
    ):
        return None
    listeners = {"production": os.environ["PRODUCTION_LISTENER"], "test": os.environ["TEST_LISTENER"]}
    route = Route(listeners, os.environ["TARGET_GROUPS"].split(","))
    group = primary["loadBalancers"][0]["targetGroupArn"]
    return drifted_listeners(_client("elbv2"), route, group, os.environ["SUFFIX"])


def _stacks(_today: date) -> Findings | None:
    return drifted_resources(
        _client("cloudformation"), os.environ["STACK"], os.environ["WATCHED_TYPES"].split(",")
    )


def _images(today: date) -> Findings | None:
    primary = _primary()
    if primary is None:
        return None
    exceptions = json.loads(os.environ["EXCEPTIONS"])["imageScanExceptions"]
    scans = Scans(os.environ["IMAGE_REPOSITORY_URI"], os.environ["IMAGE_SCAN_THRESHOLD"], exceptions)
    return scans.new_findings(_client("ecr"), _client("ecs"), primary["taskDefinition"], today)


def _primary() -> Mapping[str, Any] | None:
    """Return the PRIMARY task set of the service, which serves production."""
    cluster, service = os.environ["CLUSTER"], os.environ["SERVICE"]
    found: Sequence[Mapping[str, Any]] = [
        task_set
        for each in _client("ecs").describe_services(cluster=cluster, services=[service])["services"]
        for task_set in each.get("taskSets", [])
        if task_set["status"] == "PRIMARY"
    ]
    return found[0] if found else None


def _publish(changed: Mapping[str, Sequence[str]]) -> None:
    suffix = os.environ["SUFFIX"]
    counts = ", ".join(f"{len(lines)} {kind}" for kind, lines in changed.items())
    parts = ["\n- ".join((f"{kind.capitalize()}:", *lines)) for kind, lines in changed.items()]
    parts.append("Each is told once. What to do: docs/operations.md, The drift check.")
    _client("sns").publish(
        TopicArn=os.environ["TOPIC"],
        Subject=f"Drift check of {suffix}: {counts}",
        Message=f"Drift check of {suffix}: {counts}\n\n" + "\n\n".join(parts),
    )


def _client(service: str) -> Any:
    return boto3.client(service, config=_CALLS)
