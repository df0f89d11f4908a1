"""The table of the wrong calls counts what the suites have, and its reasons are needed."""

from pathlib import Path

import pytest

from local_aws.server.api_coverage import SERVICES, implemented
from unit_tests.local_aws.fidelity.coverage import coverage, table
from unit_tests.local_aws.fidelity.explanations import EXPLANATIONS
from unit_tests.local_aws.fidelity.reasons import Explanation
from unit_tests.local_aws.fidelity.services import SUITES
from unit_tests.local_aws.fidelity.suite import Suite

PROJECT = Path(__file__).resolve().parents[3]
OF_SERVICE = {suite.service: suite for suite in SUITES}
# Of the codes that are not explained.
LEAST_REACHED = 0.9


def test_the_page_has_the_table() -> None:
    assert table() in (PROJECT / "docs" / "local-aws.md").read_text("utf-8")


@pytest.mark.parametrize("service", SERVICES, ids=[each.service for each in SERVICES])
def test_each_operation_of_ours_is_in_the_suite_of_its_service(service: type) -> None:
    assert set(OF_SERVICE[service.service].operations) == set(implemented(service))  # type: ignore[attr-defined]


@pytest.mark.parametrize("suite", SUITES, ids=list(OF_SERVICE))
def test_each_wrong_call_expects_a_code_that_its_operation_declares(suite: Suite) -> None:
    declared = suite.declared()
    undeclared = [call for call in suite.calls() if (call.operation, call.code) not in declared]
    assert [call for call in undeclared if call.code != suite.invalid] == []


@pytest.mark.parametrize("explanation", EXPLANATIONS, ids=lambda each: f"{each.service}-{each.codes[0]}")
def test_each_explained_code_is_declared_and_not_reached(explanation: Explanation) -> None:
    explained = {code for _, code in coverage(OF_SERVICE[explanation.service]).explained}
    assert set(explanation.codes) <= explained


def test_nearly_every_code_that_a_call_can_get_is_reached() -> None:
    found = [coverage(suite) for suite in SUITES]
    reached = sum(len(each.reached) for each in found)
    possible = sum(len(each.declared - each.explained) for each in found)
    assert reached >= LEAST_REACHED * possible
