"""The settings that say which findings of an image scan stop a release."""

from __future__ import annotations

import pytest

from infrastructure.config.context_key import ConfigError
from infrastructure.config.image_scan_options import MOST_EXCEPTIONS, ScanException, read_exceptions
from infrastructure.config.settings import Config
from unit_tests.infrastructure.synthesized import context

EXCEPTION = {"finding": "CVE-2026-0001", "until": "2026-12-31", "reason": "the service reads no XML"}


def test_critical_findings_stop_a_release_unless_an_environment_says_otherwise() -> None:
    assert Config.from_context(context()).image_scan_threshold == "CRITICAL"
    assert Config.from_context(context(environmentSuffix="prod")).image_scan_threshold == "HIGH"
    assert Config.from_context(context(imageScanThreshold="NONE")).image_scan_threshold == "NONE"


def test_to_drop_a_threshold_needs_a_word_and_to_drop_an_exception_does_not() -> None:
    """Without an exception, less is released; without prod's threshold, more (pitfall C11)."""
    config = Config.from_context(context(imageScanThreshold="HIGH", imageScanExceptions=[EXCEPTION]))
    assert config.image_scan_exceptions == (ScanException(**EXCEPTION),)
    assert config.optional_settings == {"imageScanThreshold": "HIGH"}


@pytest.mark.parametrize("finding", ["CVE-2026-12345", "TEMP-0290435-0B57B5", "ALAS2-2026-123", "DLA-1-1"])
def test_a_finding_has_the_name_that_its_database_gives_it(finding: str) -> None:
    assert read_exceptions([{**EXCEPTION, "finding": finding}])[0].finding == finding


@pytest.mark.parametrize(
    "given",
    [
        {**EXCEPTION, "until": "31.12.2026"},
        {**EXCEPTION, "until": "20261231"},
        {**EXCEPTION, "until": "2026-02-30"},
        {**EXCEPTION, "until": ""},
        {**EXCEPTION, "reason": " "},
        {**EXCEPTION, "finding": "*"},
        {**EXCEPTION, "severity": "HIGH"},
        {"finding": "CVE-2026-0001", "until": "2026-12-31"},
        "CVE-2026-0001",
    ],
    ids=[
        *("another form", "no hyphens", "no day", "no end", "no reason", "a pattern", "a further key"),
        *("no reason key", "text"),
    ],
)
def test_an_exception_needs_a_finding_an_end_and_a_reason(given: object) -> None:
    with pytest.raises(ConfigError, match="imageScanExceptions is"):
        Config.from_context(context(imageScanExceptions=[given]))


def test_exceptions_are_for_different_findings_and_not_too_many() -> None:
    """The variables of a function have 4 KB together."""
    named = [{**EXCEPTION, "finding": f"CVE-2026-{number:05}"} for number in range(MOST_EXCEPTIONS + 1)]
    assert len(read_exceptions(named[:-1])) == MOST_EXCEPTIONS
    for bad in (named, [EXCEPTION, EXCEPTION]):
        with pytest.raises(ConfigError, match=f"a list, or its JSON, of 1 to {MOST_EXCEPTIONS} exceptions"):
            Config.from_context(context(imageScanExceptions=bad))
