"""Why a build failed: its tests, else its log, else the error of its phase."""

import shlex
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from operations.account import Account
from operations.why.cause import Cause
from operations.why.log_lines import (
    FIX,
    READ_THE_LOG,
    Failure,
    Line,
    failed_command,
    last_line,
    listed,
    one_line,
    significant,
)

# A log that is longer is read to here.
MOST_LINES = 20_000


def explain_build(account: Account, build_id: str) -> Cause | None:
    """Return why a build of CodeBuild failed; None if CodeBuild no longer has it."""
    builds = account.client("codebuild").batch_get_builds(ids=[build_id])["builds"]
    if not builds:
        return None
    build = builds[0]
    lines = list(_log(account, build))
    failure = failed_command(lines)
    gate = failure.step if failure else _phase(build)
    line = _line(account, build, failure, lines)
    return Cause(gate, line.text, line.remedy, _command(build))


def _line(account: Account, build: Mapping[str, Any], failure: Failure | None, lines: list[str]) -> Line:
    if tests := list(failed_tests(account, build)):
        return Line(listed(tests), FIX)
    context = _context(build)
    if failure is None:
        # Without a command that failed, the phase has the reason: a timeout, a denied call, a wrong file.
        return significant([context, *lines]) or Line(context, READ_THE_LOG)
    return significant(failure.output) or Line(last_line(failure.output) or context, READ_THE_LOG)


def failed_tests(account: Account, build: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tests that failed, with their messages, as the reports of a build have them."""
    for report in build.get("reportArns", []):
        for status in ("FAILED", "ERROR"):
            cases = account.pages(
                "codebuild",
                "describe_test_cases",
                "testCases",
                reportArn=report,
                filter={"status": status},
            )
            for case in cases:
                message = (case.get("message") or "").strip().partition("\n")[0]
                where = f" ({case['prefix']})" if case.get("prefix") else ""
                yield one_line(f"{case['name']}{where}: {message}")


def _log(account: Account, build: Mapping[str, Any]) -> Iterator[str]:
    where = build.get("logs", {})
    if not (where.get("groupName") and where.get("streamName")):
        return
    events = account.pages(
        "logs",
        "filter_log_events",
        "events",
        logGroupName=where["groupName"],
        logStreamNames=[where["streamName"]],
    )
    for event in islice(events, MOST_LINES):
        yield from event["message"].splitlines()


def _command(build: Mapping[str, Any]) -> str:
    where = build.get("logs", {})
    if not (where.get("groupName") and where.get("streamName")):
        return ""
    group, stream = shlex.quote(where["groupName"]), shlex.quote(where["streamName"])
    return (
        f"aws logs filter-log-events --log-group-name {group} --log-stream-names {stream} "
        "--query 'events[].message' --output text"
    )


def _failed_phase(build: Mapping[str, Any]) -> Mapping[str, Any]:
    failed = (one for one in build.get("phases", []) if one.get("phaseStatus") not in (None, "SUCCEEDED"))
    return next(failed, {})


def _phase(build: Mapping[str, Any]) -> str:
    return str(_failed_phase(build).get("phaseType", ""))


def _context(build: Mapping[str, Any]) -> str:
    contexts = _failed_phase(build).get("contexts") or [{}]
    code, message = contexts[0].get("statusCode", ""), contexts[0].get("message", "")
    return one_line(f"{code}: {message}" if message else code or f"the build is {build['buildStatus']}")
