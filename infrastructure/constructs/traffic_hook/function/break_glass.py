"""Let a release pass that fails its checks, while an operator has opened break-glass: docs/operations.md."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# Long enough to mend the hook and deploy it, and to end on the day of the emergency.
LONGEST = timedelta(minutes=120)
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\"\\<>]")
# Little, because it is taken from the time before Lambda stops the function (pitfall N6).
_CALLS = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 2})


class ClosedError(Exception):
    """Break-glass is closed; the message says why."""


@dataclass(frozen=True)
class BreakGlass:
    """Why break-glass is open, who says that they opened it, and when it ends."""

    reason: str
    by: str
    until: str


def run(
    checks: Mapping[str, Callable[[], object]], line: dict[str, Any], parameter: str, source: str
) -> None:
    """Run the checks, and write their results to the log's line.

    Raises the first error if break-glass is closed. If it is open, every check runs, none stops the release,
    the line has their errors, and who opened break-glass and why, and an event by `source` tells of it.
    """
    ignored: dict[str, str] = {}
    for name, check in checks.items():
        try:
            line[name] = check()
        # Whatever the error is: the check itself may be what is broken.
        except Exception as error:
            try:
                line["breakGlass"] = asdict(read(parameter, datetime.now(UTC)))
            except (ClosedError, BotoCoreError, ClientError) as closed:
                line["breakGlass"] = f"closed: {closed}"
                raise error from None
            ignored[name] = f"{type(error).__name__}: {error}"
            line["ignored"] = ignored
    if ignored:
        line["event"] = _tell(line, source, parameter)


def _tell(line: Mapping[str, Any], source: str, parameter: str) -> str:
    """Tell the topic and the event log that a release used break-glass; return whether they were told.

    The event has the shape of Parameter Store's, for the same rules. Nothing of it stops the release.
    """
    by, ignored = line["breakGlass"], "; ".join(line["ignored"])
    what = f"deployment {line['deployment']} of commit {line['commit']} passes without {ignored}"
    # EventBridge inserts it into a JSON string in the input template of the topic's rule.
    description = _NO_TEXT.sub("'", f"{what}: {by['reason']}, says {by['by']}")
    detail = {"operation": "Use", "name": parameter, "description": description}
    entry = {"Source": source, "DetailType": "Break-Glass Use", "Detail": json.dumps(detail)}
    try:
        failed = boto3.client("events", config=_CALLS).put_events(Entries=[entry])["FailedEntryCount"]
    except (BotoCoreError, ClientError) as error:
        return f"{type(error).__name__}: {error}"
    return "EventBridge refused the event" if failed else "told"


def read(name: str, now: datetime) -> BreakGlass:
    """Return the open break-glass. Raises ClosedError if it is closed.

    Whoever has the permission may write the parameter without the command. So its end counts only within
    LONGEST after AWS stored it: no value opens more than the command can.
    """
    ssm = boto3.client("ssm", config=_CALLS)
    try:
        parameter = ssm.get_parameter(Name=name)["Parameter"]
    except ssm.exceptions.ParameterNotFound:
        raise ClosedError("nobody has opened it") from None
    found, until = _parse(parameter["Value"])
    if until > parameter["LastModifiedDate"] + LONGEST:
        raise ClosedError(f"its end, {found.until}, is more than {LONGEST} after it was written")
    if until <= now:
        raise ClosedError(f"it ended at {found.until}")
    return found


def _parse(value: str) -> tuple[BreakGlass, datetime]:
    try:
        given = json.loads(value)
        texts = [given[key] for key in ("reason", "by", "until")]
        if not all(isinstance(text, str) and text.strip() for text in texts):
            raise ValueError("reason, by and until are to be texts")
        until = datetime.fromisoformat(texts[2])
        if until.tzinfo is None:
            raise ValueError("until has no time zone")
    except (KeyError, TypeError, ValueError) as error:
        raise ClosedError(f"its parameter is malformed ({type(error).__name__}: {error})") from None
    return BreakGlass(*texts), until
