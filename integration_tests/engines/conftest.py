"""The engines, and what each has answered."""

import pytest

from integration_tests.engines.answers import Answers


@pytest.fixture(scope="session")
def answers() -> Answers:
    """What was answered on each engine that was played."""
    return Answers()
