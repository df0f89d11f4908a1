"""JUnit XML files are read as CodeBuild's test cases."""

from pathlib import Path

import pytest

from local_aws.services.codebuild.buildspec import FileSet
from local_aws.services.codebuild.errors import ReportError
from local_aws.services.codebuild.junit import read_junit, read_reports
from local_aws.services.codebuild.serializers import report_summary

PYTEST = b"""<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="4">
<testcase classname="tests.test_a" name="test_good" time="0.25"/>
<testcase classname="tests.test_a" name="test_bad" time="1,000.5">
<failure message="assert 1 == 2">long</failure></testcase>
<testcase classname="tests.test_a" name="test_error" time="x"><error>boom</error></testcase>
<testcase classname="tests.test_a" name="test_skipped"><skipped message="later"/></testcase>
</testsuite></testsuites>"""


def test_each_result_has_its_status() -> None:
    cases = read_junit(PYTEST, "r.xml")
    assert [(case.name, case.status, case.message) for case in cases] == [
        ("test_good", "SUCCEEDED", ""),
        ("test_bad", "FAILED", "assert 1 == 2"),
        ("test_error", "ERROR", "boom"),
        ("test_skipped", "SKIPPED", "later"),
    ]
    assert (cases[0].suite, cases[0].prefix, cases[0].duration) == ("pytest", "tests.test_a", 250_000_000)
    summary = report_summary(cases)
    assert summary["total"] == 4
    assert summary["statusCounts"] == {"SUCCEEDED": 1, "FAILED": 1, "ERROR": 1, "SKIPPED": 1, "UNKNOWN": 0}


def test_a_file_may_contain_one_suite_only() -> None:
    assert len(read_junit(b'<testsuite name="s"><testcase name="a"/></testsuite>', "r.xml")) == 1


@pytest.mark.parametrize("content", [b"", b"<testsuite>", b"<html/>", b"{}"])
def test_a_file_that_is_not_junit_xml_is_refused(content: bytes) -> None:
    with pytest.raises(ReportError, match=r"r\.xml"):
        read_junit(content, "r.xml")


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    log: list[str] = []
    with pytest.raises(ReportError, match="report files not found in build"):
        read_reports(tmp_path, "unit", FileSet(("r.xml",)), log.append)
    (tmp_path / "r.xml").write_bytes(PYTEST)
    assert len(read_reports(tmp_path, "unit", FileSet(("r.xml",)), log.append)) == 4
