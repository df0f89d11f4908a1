"""The names, ids and ARNs of CodeBuild's requests, which it checks before it looks for what they name.

The messages are those of moto's tests:
https://github.com/getmoto/moto/blob/master/tests/test_codebuild/test_codebuild.py
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from local_aws.services.codebuild.errors import invalid_input
from local_aws.services.codebuild.validation import PROJECT_NAME

_ARN = r"arn:aws[\w-]*:codebuild:[a-z0-9-]+:\d{12}:"
_PROJECT = re.compile(rf"({_ARN}project/)?{PROJECT_NAME.pattern}")
_BUILD = re.compile(rf"({_ARN}build/)?[\w-]+:[\w-]+")
_REPORT_GROUP_NAME = re.compile(r"[\w-]{2,128}")
_REPORT_GROUP = re.compile(rf"{_ARN}report-group/.+")
_REPORT = re.compile(rf"{_ARN}report/.+")
_EITHER = re.compile(rf"{_ARN}report(-group)?/.+")
# Member -> its format, and AWS's name of it.
FORMATS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "name": (_PROJECT, "project name"),
    "names": (_PROJECT, "project name"),
    "projectName": (_PROJECT, "project name"),
    "id": (_BUILD, "build ID"),
    "ids": (_BUILD, "build ID"),
    "arn": (_EITHER, "ARN"),
    "reportArn": (_REPORT, "report ARN"),
    "reportArns": (_REPORT, "report ARN"),
    "reportGroupArn": (_REPORT_GROUP, "report group ARN"),
    "reportGroupArns": (_REPORT_GROUP, "report group ARN"),
}


def check_identifiers(operation: str, params: Mapping[str, Any]) -> None:
    """Refuse what cannot name a project, a build, a report or a report group."""
    for member, value in _given(params):
        pattern, label = FORMATS[member]
        if operation == "CreateReportGroup":
            pattern, label = _REPORT_GROUP_NAME, "report group name"
        if not pattern.fullmatch(value):
            raise invalid_input(f"Invalid {label} provided: {value}")


def _given(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for member in FORMATS.keys() & params.keys():
        values = params[member] if isinstance(params[member], list) else [params[member]]
        yield from ((member, value) for value in values if isinstance(value, str))
