"""Filters log events by text and by streams as CloudWatch Logs does.

MiniStack ignores case, phrases, prefixes and patterns of JSON.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import re
from collections.abc import Callable
from typing import Any

from local_aws.core.api import AwsError
from local_aws.ministack.compat import require

logs = require(
    "services.cloudwatch_logs",
    "_compile_filter_pattern",
    "_filter_log_events",
    "_log_groups",
    "_resolve_log_group_name",
    "error_response_json",
)

TERM = re.compile(r'\s*(?P<sign>[-?]?)(?:"(?P<phrase>(?:\\.|[^"\\])*)"|(?P<word>[^\s"]+))')
# AWS names this character in its message. Whether a dot or a hyphen needs quotes is not documented.
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-unstructured-log-events.html
INVALID = re.compile(r"[^\w.-]", re.ASCII)
# Patterns of JSON, of columns and regular expressions, which local_aws does not evaluate.
UNSUPPORTED = re.compile(r"\s*[{\[]|.*%.*%", re.DOTALL)

Matches = Callable[[str], bool]


def patch_log_filters() -> None:
    """Replace the evaluation of `filterPattern`, and obey `logStreamNamePrefix`."""
    original = logs._filter_log_events

    def filter_events(request: dict[str, Any]) -> Any:
        try:
            compiled(request.get("filterPattern", ""))
        except AwsError as error:
            return logs.error_response_json(error.code, error.message, error.status)
        prefix = request.get("logStreamNamePrefix")
        if prefix is None:
            return original(request)
        if request.get("logStreamNames"):
            message = "LogStreamNames and LogStreamNamePrefix are mutually exclusive"
            return logs.error_response_json("InvalidParameterException", message, 400)
        group = logs._log_groups.get(logs._resolve_log_group_name(request))
        names = [name for name in group["streams"] if name.startswith(prefix)] if group else []
        # MiniStack takes an empty list for all streams.
        return original({**request, "logStreamNames": names or [""]})

    logs._compile_filter_pattern = compiled
    logs._filter_log_events = filter_events


def compiled(pattern: str) -> Matches:
    """Return what a text pattern matches: all its terms and none after `-`, or any of its `?` terms.

    Raises `AwsError` as AWS does, and `UnsupportedOperation` for other patterns.
    """
    if UNSUPPORTED.match(pattern):
        message = f"local_aws filters log events by text only, not by {pattern!r}"
        raise AwsError("UnsupportedOperation", message, 501)
    terms = terms_of(pattern.strip())
    included, excluded, optional = ([text for sign, text in terms if sign == one] for one in ("", "-", "?"))

    def matches(message: str) -> bool:
        # AWS ignores `?` beside other terms.
        if included or excluded or not optional:
            return all(one in message for one in included) and not any(one in message for one in excluded)
        return any(one in message for one in optional)

    return matches


def terms_of(pattern: str) -> list[tuple[str, str]]:
    """Return the terms of a text pattern, each with its sign. Raises `AwsError` as AWS does."""
    found, at = [], 0
    while at < len(pattern):
        term = TERM.match(pattern, at)
        invalid = pattern[at:] if term is None else INVALID.search(term["word"] or "")
        if term is None or invalid:
            raise AwsError(
                "InvalidParameterException", f"Invalid character(s) in term '{(invalid or ' ')[0]}'"
            )
        text = term["word"] if term["phrase"] is None else re.sub(r"\\(.)", r"\1", term["phrase"])
        found.append((term["sign"], text))
        at = term.end()
    return found
