"""The findings of cdk-nag and our suppressions must match, both ways. `make check` runs the rules."""

from __future__ import annotations

import pytest

pytest.importorskip("cdk_nag")

from tools.nag import SUPPRESSIONS, Finding, violations


def test_suppressed_findings_are_no_violation() -> None:
    assert not violations(set(SUPPRESSIONS))


def test_a_finding_without_a_suppression_is_a_violation() -> None:
    found = {*SUPPRESSIONS, Finding("S10", "Pipeline/New/Bucket")}
    assert violations(found) == ["Pipeline/New/Bucket: S10 is not suppressed"]


def test_a_suppression_without_a_finding_is_a_violation() -> None:
    found = set(SUPPRESSIONS) - {Finding("S1", "Pipeline/Artifacts/Bucket")}
    assert violations(found) == ["Pipeline/Artifacts/Bucket: S1 is suppressed and not found"]


def test_rules_that_find_nothing_at_all_are_noticed() -> None:
    assert len(violations(set())) == len(SUPPRESSIONS)


def test_each_suppression_has_a_sentence_as_its_reason() -> None:
    assert not [finding for finding, reason in SUPPRESSIONS.items() if len(reason.split()) < 4]
