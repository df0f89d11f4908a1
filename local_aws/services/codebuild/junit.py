"""Reads the JUnit XML files of a test report."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from local_aws.services.codebuild.archives import select
from local_aws.services.codebuild.buildspec import FileSet
from local_aws.services.codebuild.errors import FilesError, ReportError

STATUSES = ("SUCCEEDED", "FAILED", "ERROR", "SKIPPED", "UNKNOWN")
# The element of a test case that did not pass, and CodeBuild's status for it.
STATUS_BY_ELEMENT = {"failure": "FAILED", "error": "ERROR", "skipped": "SKIPPED"}
NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class TestCase:
    """The result of one test. `duration` is in nanoseconds."""

    __test__ = False

    name: str
    prefix: str
    suite: str
    status: str
    duration: int
    message: str
    file: str


def read_reports(source: Path, group: str, files: FileSet, log: Callable[[str], None]) -> list[TestCase]:
    """Return the test cases in the files of the report `group`; raises `ReportError`."""
    log(f"Preparing to copy TEST_REPORT artifacts of {group}")
    try:
        found, _ = select(source, files)
    except FilesError as error:
        raise ReportError(group, "report files not found in build") from error
    cases = [case for name, path in sorted(found.items()) for case in read_junit(path.read_bytes(), name)]
    log(f"Found {len(found)} report file(s) with {len(cases)} test case(s)")
    return cases


def read_junit(content: bytes, file: str) -> list[TestCase]:
    """Return the test cases of one JUnit XML file; raises `ReportError`."""
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 - expat bounds what entities expand to since 2.4.1
    except ElementTree.ParseError as error:
        raise ReportError(file, str(error)) from error
    suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    if root.tag not in ("testsuite", "testsuites"):
        raise ReportError(file, f"no JUnit XML: <{root.tag}>")
    return [
        _case(case, suite.get("name", ""), file) for suite in suites for case in suite.findall("testcase")
    ]


def _case(element: ElementTree.Element, suite: str, file: str) -> TestCase:
    outcome = next((child for child in element if child.tag in STATUS_BY_ELEMENT), None)
    try:
        duration = int(float(element.get("time", "0").replace(",", "")) * NANOSECONDS)
    except ValueError:
        duration = 0
    return TestCase(
        name=element.get("name", ""),
        prefix=element.get("classname", ""),
        suite=suite,
        status="SUCCEEDED" if outcome is None else STATUS_BY_ELEMENT[outcome.tag],
        duration=duration,
        message="" if outcome is None else outcome.get("message", "") or (outcome.text or ""),
        file=file,
    )
