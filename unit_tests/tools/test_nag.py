"""cdk-nag's findings and our explanations must match, in both directions. `make check` runs the rules."""

from __future__ import annotations

import pytest

pytest.importorskip("cdk_nag")

from tools.nag import EXPLAINED, Finding, complaints


def test_explained_findings_are_no_complaint() -> None:
    assert not complaints(set(EXPLAINED))


def test_a_finding_that_nobody_explained_is_a_complaint() -> None:
    found = {*EXPLAINED, Finding("S10", "Pipeline/New/Bucket")}
    assert complaints(found) == ["Pipeline/New/Bucket: S10 is not explained"]


def test_an_explanation_of_nothing_is_a_complaint() -> None:
    found = set(EXPLAINED) - {Finding("S1", "Pipeline/Artifacts/Bucket")}
    assert complaints(found) == ["Pipeline/Artifacts/Bucket: S1 is explained, not found"]


def test_no_rules_at_all_would_be_seen() -> None:
    assert len(complaints(set())) == len(EXPLAINED)


def test_each_explanation_is_a_sentence() -> None:
    assert not [finding for finding, reason in EXPLAINED.items() if len(reason.split()) < 4]
