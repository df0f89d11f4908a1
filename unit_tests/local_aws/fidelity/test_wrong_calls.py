"""Each wrong call gets the code that its operation declares for it (`make fidelity`)."""

import pytest

from unit_tests.local_aws.cloudformation_cloud import Cloud
from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.services import SUITES
from unit_tests.local_aws.fidelity.suite import Suite


@pytest.fixture(scope="module")
def account(cloud: Cloud) -> Account:
    return Account(cloud.server)


@pytest.mark.parametrize("suite", SUITES, ids=[suite.service for suite in SUITES])
def test_each_wrong_call_gets_the_code_that_its_operation_declares(suite: Suite, account: Account) -> None:
    values = suite.prepare(account)
    wrong = []
    for call in suite.calls():
        outcome = account.outcome(suite.service, call, values)
        if outcome != call.code:
            wrong.append(f"{call.operation} gets {outcome}, not {call.code}: {str(call.params)[:150]}")
    assert not wrong, "\n".join(wrong)
