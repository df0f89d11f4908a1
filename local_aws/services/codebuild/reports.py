"""Test reports: JUnit's XML read into CodeBuild's test cases."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_aws.services.codebuild.archives import FilesError, select
from local_aws.services.codebuild.buildspec import Files

STATUSES = ("SUCCEEDED", "FAILED", "ERROR", "SKIPPED", "UNKNOWN")
# What a test case of JUnit's holds when it did not pass.
OUTCOMES = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}
NANOSECONDS = 1_000_000_000


class ReportError(Exception):
    """A report's files are missing or are no JUnit XML: CodeBuild's CLIENT_ERROR in UPLOAD_ARTIFACTS."""


@dataclass(frozen=True)
class TestCase:
    """One test's outcome. `duration` is in nanoseconds."""

    __test__ = False

    name: str
    prefix: str
    suite: str
    status: str
    duration: int
    message: str
    file: str


def read_reports(source: Path, group: str, files: Files, say: Callable[[str], None]) -> list[TestCase]:
    """Return the test cases in the files of the report `group`; raises `ReportError`."""
    say(f"Preparing to copy TEST_REPORT artifacts of {group}")
    try:
        found, _ = select(source, files)
    except FilesError as error:
        raise ReportError(
            f"Error in UPLOAD_ARTIFACTS phase: [{group}: [report files not found in build]]"
        ) from error
    cases = [case for name, path in sorted(found.items()) for case in read_junit(path.read_bytes(), name)]
    say(f"Found {len(found)} report file(s) with {len(cases)} test case(s)")
    return cases


def read_junit(content: bytes, file: str) -> list[TestCase]:
    """Return the test cases of one JUnit XML file; raises `ReportError`."""
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - expat bounds what entities expand to since 2.4.1
    except ElementTree.ParseError as error:
        raise ReportError(f"Error in UPLOAD_ARTIFACTS phase: [{file}: [{error}]]") from error
    suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    if root.tag not in ("testsuite", "testsuites"):
        raise ReportError(f"Error in UPLOAD_ARTIFACTS phase: [{file}: [no JUnit XML: <{root.tag}>]]")
    return [
        _case(case, suite.get("name", ""), file) for suite in suites for case in suite.findall("testcase")
    ]


def summary(cases: list[TestCase]) -> dict[str, Any]:
    """Return the API's TestReportSummary."""
    counts = Counter(case.status for case in cases)
    return {
        "total": len(cases),
        "statusCounts": {status: counts[status] for status in STATUSES},
        "durationInNanoSeconds": sum(case.duration for case in cases),
    }


def _case(element: ElementTree.Element, suite: str, file: str) -> TestCase:
    outcome = next((child for child in element if child.tag in OUTCOMES), None)
    try:
        duration = int(float(element.get("time", "0").replace(",", "")) * NANOSECONDS)
    except ValueError:
        duration = 0
    return TestCase(
        name=element.get("name", ""),
        prefix=element.get("classname", ""),
        suite=suite,
        status="SUCCEEDED" if outcome is None else OUTCOMES[outcome.tag],
        duration=duration,
        message="" if outcome is None else outcome.get("message", "") or (outcome.text or ""),
        file=file,
    )
