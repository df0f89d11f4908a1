"""The audit of dependencies: which pins it finds, which exceptions count, and what it refuses to read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from infrastructure.constructs.dependency_audit import ADVISORIES, EXCEPTIONS, PROGRAM, audit
from unit_tests.infrastructure.synthesized import PROJECT

TODAY = datetime.now(UTC).date()
RANGES = [["1.2", "<1.4"], ["2.0", "<2.0.3"]]
ORDERED = (
    *("0.9.dev1", "0.9a1", "0.9", "1.0.dev2", "1.0a1.dev3", "1.0a1", "1.0a2", "1.0b1", "1.0rc1", "1.0"),
    *("1.0.post1.dev4", "1.0.post1", "1.0.post2", "1.1.dev1", "1.1", "1.9", "1.10", "2024.1", "1!0.1"),
)


def run(
    folder: Path,
    requirements: str,
    ranges: list[list[str]] | None = None,
    *,
    exceptions: object = (),
    updated: str = str(TODAY),
) -> int:
    packages: dict[str, Any] = {"click": {}, "flask": {} if ranges is None else {"CVE-2026-0001": ranges}}
    files = {
        "requirements.txt": requirements,
        "exceptions.json": json.dumps(exceptions),
        "advisories.json": json.dumps({"updated": updated, "packages": packages}),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    paths = {name: str(folder / name) for name in files}
    options = ["--advisories", paths["advisories.json"], "--exceptions", paths["exceptions.json"]]
    return audit.main([*options, paths["requirements.txt"]])


def test_versions_are_in_the_order_of_pep_440() -> None:
    for lower, higher in pairwise(ORDERED):
        assert Version(lower) < Version(higher), "the order here"
        assert audit.version_key(lower) < audit.version_key(higher), (lower, higher)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.0", "1"), ("1.0.0", "1.0+local.1"), ("1.0alpha1", "1.0a1"), ("1.0-1", "1.0.post1"), ("v1.0", "1.0")],
)
def test_versions_have_several_spellings(one: str, other: str) -> None:
    assert audit.version_key(one) == audit.version_key(other)


@pytest.mark.parametrize("text", ["", "latest", "1.0-", "1..0", "1.0 ; x"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(audit.InputError, match="is not a version"):
        audit.version_key(text)


@pytest.mark.parametrize(
    ("version", "exit_code"),
    [
        *(("1.1", 0), ("1.2", 1), ("1.3.9", 1), ("1.4rc1", 1), ("1.4", 0), ("1.9", 0)),
        *(("2.0rc1", 0), ("2.0", 1), ("2.0.2", 1), ("2.0.3", 0), ("3.0", 0)),
    ],
)
def test_a_version_in_a_range_of_an_advisory_is_found(tmp_path: Path, version: str, exit_code: int) -> None:
    assert run(tmp_path, f"flask=={version}\n", RANGES) == exit_code


@pytest.mark.parametrize(("version", "exit_code"), [("1.0", 1), ("1.1", 1), ("1.2", 0)])
def test_the_last_affected_version_is_found_too(tmp_path: Path, version: str, exit_code: int) -> None:
    assert run(tmp_path, f"flask=={version}\n", [["0", "<=1.1"]]) == exit_code


def test_ranges_that_overlap_are_each_compared(tmp_path: Path) -> None:
    assert run(tmp_path, "flask==4.0\n", [["0", "<5"], ["0", "<3"]]) == 1


def test_a_range_without_an_end_has_no_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "flask==99\n", [["0", ""]]) == 1
    assert "flask 99: CVE-2026-0001, no fixed version is known" in capsys.readouterr().out


def test_a_finding_is_one_line_with_its_names_and_the_fix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, "Flask==1.3 --hash=sha256:00\n", RANGES)
    assert capsys.readouterr().out == (
        "finding: flask 1.3: CVE-2026-0001, fixed in 1.4, 2.0.3\n"
        f"1 packages, database of {TODAY}: 1 findings stop the build\n"
    )


def exception(until: object, finding: str = "CVE-2026-0001") -> dict[str, str]:
    return {"finding": finding, "until": str(until), "reason": "not called"}


def test_an_exception_counts_up_to_its_last_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "flask==1.3\n", RANGES, exceptions=[exception(TODAY)]) == 0
    assert f"excepted until {TODAY}: flask 1.3: CVE-2026-0001" in capsys.readouterr().out


def test_an_exception_is_for_its_finding_only(tmp_path: Path) -> None:
    assert run(tmp_path, "flask==1.3\n", RANGES, exceptions=[exception(TODAY, "CVE-2026-0002")]) == 1


def test_an_expired_exception_counts_no_more_and_the_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yesterday = TODAY - timedelta(days=1)
    assert run(tmp_path, "flask==1.3\n", RANGES, exceptions=[exception(yesterday)]) == 1
    assert f"(its exception expired on {yesterday})" in capsys.readouterr().out


def test_a_package_that_the_database_does_not_cover_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A service may have dependencies of its own; the log says that nothing is known of them."""
    assert run(tmp_path, "requests==2.0\n") == 0
    assert "warning: requests 2.0 is not in the database" in capsys.readouterr().out


def test_an_old_database_is_named_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for days, warned in ((audit.FRESH_DAYS, False), (audit.FRESH_DAYS + 1, True)):
        assert run(tmp_path, "flask==1.0\n", updated=str(TODAY - timedelta(days=days))) == 0
        assert (f"the database is {days} days old" in capsys.readouterr().out) is warned


@pytest.mark.parametrize(
    "line",
    [
        *("flask", "flask>=1.0", "flask==1.*", "flask @ https://example.org/flask.whl", "-e ."),
        *("--extra-index-url https://example.org/simple", "-r other.txt", "./flask.whl", "flask===1.0"),
        *("https://example.org/flask-1.0.whl", "git+https://example.org/flask", "flask==1.0,<2"),
        *("flask==latest", "--index-url=https://example.org # flask==1.0"),
    ],
)
def test_anything_but_a_pin_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str) -> None:
    assert run(tmp_path, f"click==1.0\n{line}\n") == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("error: ")
    assert len(error.splitlines()) == 1


def test_extras_markers_hashes_and_comments_belong_to_a_pin(tmp_path: Path) -> None:
    lines = (
        "# by uv",
        'Flask[async]==1.0 ; python_version < "3.10" \\',
        "    --hash=sha256:00 \\",
        "    --hash=sha256:01",
        "    # via greeter",
        "click==8.1.8  # why",
    )
    path = tmp_path / "requirements.txt"
    path.write_text("\n".join(lines))
    assert list(audit.read_pins(path)) == [audit.Pin("flask", "1.0"), audit.Pin("click", "8.1.8")]


@pytest.mark.parametrize(
    "bad",
    [
        [{"finding": "CVE-2026-0001", "until": "2026-12-31"}],
        [{**exception(TODAY), "reason": ""}],
        [exception("tomorrow")],
        ["CVE-2026-0001"],
    ],
)
def test_an_exception_that_is_not_whole_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: object
) -> None:
    assert run(tmp_path, "flask==1.0\n", exceptions=bad) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_database_that_cannot_be_read_finds_nothing_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "broken"
    path.write_text("{")
    given = ["--advisories", str(path), "--exceptions", str(EXCEPTIONS), str(path)]
    assert audit.main(given) == 2
    assert "is not JSON" in capsys.readouterr().err
    given[1] = str(tmp_path / "missing")
    assert audit.main(given) == 2


def test_the_sample_service_passes_with_the_exceptions_and_would_not_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python 3.9 has ended: click and pytest have no release for it that is fixed."""
    paths = [str(PROJECT / "sample_service" / name) for name in ("requirements.txt", "requirements-dev.txt")]
    given = ["--advisories", str(ADVISORIES), "--exceptions"]
    excepted = audit.main([*given, str(EXCEPTIONS), *paths])
    expired = min(one["until"] for one in json.loads(EXCEPTIONS.read_text("utf-8"))) < str(TODAY)
    assert excepted == (1 if expired else 0)
    none = tmp_path / "none.json"
    none.write_text("[]")
    capsys.readouterr()
    assert audit.main([*given, str(none), *paths]) == 1
    found = [line for line in capsys.readouterr().out.splitlines() if line.startswith("finding: ")]
    assert [line.split(":")[1].strip() for line in found] == ["click 8.1.8", "pytest 8.4.2"]


def test_the_audit_leaves_room_for_the_buildspec_that_has_it_inline() -> None:
    """CodeBuild takes 25,600 characters: https://github.com/aws/aws-cdk/pull/14974."""
    texts = [path.read_text("utf-8") for path in (PROGRAM, ADVISORIES, EXCEPTIONS)]
    # A block of YAML indents each line by eight.
    assert sum(len(text) + 8 * text.count("\n") for text in texts) < 16_000
