"""Open and close break-glass: an SSM parameter that lets a release pass the test-traffic hook's checks.

EventBridge tells the topic and the event log of every change of the parameter, whoever makes it.
"""

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from operations.account import Account, code_of
from operations.command_line import Output, add_dry_run, add_json
from operations.errors import OperationsError
from operations.names import Names
from operations.stage_entry import find_entries, override

Log = Callable[[str], None]
# The hook has the same limit: long enough to mend it and deploy it, and to end on the day of the emergency.
MOST_MINUTES = 120
LONGEST = timedelta(minutes=MOST_MINUTES)
LONGEST_REASON = 300
# They tell the topic and the event log.
RULES = ("break-glass-changed", "break-glass-events")
# EventBridge inserts the reason into a JSON string in its input template, between quotes.
REASON = re.compile(r"[^\x00-\x1f\x7f\"\\<>]*")
SUMMARY = "let releases pass the test-traffic hook's checks for some minutes, in an emergency"
DETAILS = (
    "The hook still checks the image scan and the responses, and logs what fails, but stops no release. "
    "Topic and event log get the reason. Without options, it prints the state; open is exit code 1."
)
NOTE = "The reason is sent by e-mail and stays in logs: it must contain no secret"


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    command.add_argument("--reason", metavar="TEXT", help="why; it is sent by e-mail: no secret")
    command.add_argument(
        "--minutes", type=_minutes, metavar="N", help=f"close it after 1 to {MOST_MINUTES} minutes"
    )
    command.add_argument("--close", action="store_true", help="close it now")
    add_dry_run(command)
    add_json(command)


def _minutes(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"{value!r} is no number of 1 to {MOST_MINUTES} minutes")
    return int(value)


def run(options: argparse.Namespace, account: Account) -> int:
    """Run the command; return its exit code."""
    suffix, reason, minutes = options.suffix, options.reason, options.minutes
    if (reason is None) != (minutes is None) or (options.close and minutes):
        raise OperationsError("give --reason and --minutes to open break-glass, or --close alone")
    output = Output(options)
    if options.close:
        close(suffix, account, output.log, dry_run=options.dry_run)
    elif minutes:
        open_break_glass(suffix, account, reason, minutes, output.log, dry_run=options.dry_run)
    else:
        return _print_state(options, account, output)
    if options.json:
        output.end(**_as_data(options, read(suffix, account, datetime.now(UTC))))
    return 0


def _print_state(options: argparse.Namespace, account: Account, output: Output) -> int:
    """Print whether it is open; return 1 if it is."""
    state = read(options.suffix, account, datetime.now(UTC))
    output.log(f"break-glass of {options.suffix} is {state.text}")
    output.end(**_as_data(options, state))
    return int(state.is_open)


def _as_data(options: argparse.Namespace, state: "State") -> dict[str, Any]:
    return {"suffix": options.suffix, "dry_run": options.dry_run, **asdict(state)}


@dataclass(frozen=True)
class State:
    """Whether break-glass is open, the words for it, and what the parameter says, if it can be read."""

    is_open: bool
    text: str
    reason: str = ""
    by: str = ""
    until: str = ""


def read(suffix: str, account: Account, now: datetime) -> State:
    """Return whether break-glass is open, as the hook judges it."""
    name = Names(suffix).break_glass
    parameter = _parameter(name, account)
    if parameter is None:
        return State(False, "closed")
    try:
        given = json.loads(parameter["Value"])
        reason, by, end = (_text(given[key]) for key in ("reason", "by", "until"))
        until, text = datetime.fromisoformat(end), f"until {end}, opened by {by}: {reason}"
        is_late = until > parameter["LastModifiedDate"] + LONGEST
        has_ended = until <= now
    except (KeyError, TypeError, ValueError) as error:
        return State(False, f"closed, because the value of {name} is malformed: {error}")
    if is_late:
        why = f"closed, because its end is more than {LONGEST} after it was written"
    else:
        why = "closed, because it has ended"
    is_open = not (is_late or has_ended)
    return State(is_open, f"open {text}" if is_open else f"{why}: {text}", reason, by, end)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{value!r} is no text")
    return value


def open_break_glass(
    suffix: str, account: Account, reason: str, minutes: int, log: Log, *, dry_run: bool = False
) -> None:
    """Write the parameter, or replace it. Raises OperationsError if nobody would be told."""
    _check_reason(reason)
    _check_rules(suffix, account)
    name = Names(suffix).break_glass
    until = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="seconds")
    by = account.identity["Arn"]
    log(NOTE)
    if dry_run:
        log(f"would write {name}: open until {until}, by {by}: {reason}")
        return
    account.client("ssm").put_parameter(
        Name=name,
        Value=json.dumps({"reason": reason, "by": by, "until": until}),
        # The event has the description, and not the value.
        Description=f"Open until {until}, by {by}: {reason}",
        Type="String",
        Overwrite=True,
    )
    state = read(suffix, account, datetime.now(UTC))
    if not state.is_open:
        raise OperationsError(f"break-glass of {suffix} is {state.text}. Is the clock of this machine right?")
    log(f"break-glass of {suffix} is {state.text}")
    override_window(suffix, account, log)


def override_window(suffix: str, account: Account, log: Log) -> None:
    """Let the release in that waits for the deployment window of the stage Deploy, if one does.

    The events of the parameter have told the reason. CloudTrail has the caller of OverrideStageCondition.
    """
    names = Names(suffix)
    for entry in find_entries(account, names):
        # One that has failed may be of long ago.
        if entry.stage == "Deploy" and entry.status == "InProgress":
            override(account, names, entry)
            log(f"let the execution {entry.execution} into {entry.stage}, outside of the deployment window")


def close(suffix: str, account: Account, log: Log, *, dry_run: bool = False) -> None:
    """Delete the parameter."""
    name = Names(suffix).break_glass
    if _parameter(name, account) is None:
        log(f"{name} does not exist: break-glass of {suffix} is closed")
        return
    if dry_run:
        log(f"would delete {name}")
        return
    account.client("ssm").delete_parameter(Name=name)
    log(f"break-glass of {suffix} is closed: deleted {name}")


def _check_reason(reason: str) -> None:
    """Raise OperationsError unless the reason can be sent as it is."""
    if not reason.strip() or len(reason) > LONGEST_REASON or not REASON.fullmatch(reason):
        raise OperationsError(
            f"{reason!r} is no reason: write one line of 1 to {LONGEST_REASON} characters, without quotation "
            "marks, backslashes, < and >"
        )


def _check_rules(suffix: str, account: Account) -> None:
    for rule in (f"{name}-{suffix}" for name in RULES):
        try:
            state = account.client("events").describe_rule(Name=rule)["State"]
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            state = "missing"
        if state != "ENABLED":
            raise OperationsError(
                f"the rule {rule} is {state}, so nobody would be told: deploy {suffix} first"
            )


def _parameter(name: str, account: Account) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = account.client("ssm").get_parameter(Name=name)["Parameter"]
    except ClientError as error:
        if code_of(error) != "ParameterNotFound":
            raise
        return None
    return found
