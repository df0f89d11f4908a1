"""The operations build the names of resources as the app does."""

from __future__ import annotations

import re
from itertools import product

import pytest

from infrastructure import naming
from infrastructure.config.environments import LONGEST, NAME
from operations.__main__ import LONGEST_SUFFIX, SUFFIX
from operations.account import REGION
from operations.names import Names

PROPERTIES = [name for name, value in vars(Names).items() if isinstance(value, property)]


@pytest.mark.parametrize(("name", "suffix"), list(product(PROPERTIES, ["dev", "orders-staging"])))
def test_a_name_is_that_of_the_app(name: str, suffix: str) -> None:
    assert getattr(Names(suffix), name) == getattr(naming.Names(suffix), name)


def test_the_bucket_is_that_of_the_app() -> None:
    ours = Names("dev").artifact_bucket("123456789012", REGION)
    assert ours == naming.Names("dev").artifact_bucket("123456789012")


def test_a_suffix_has_the_grammar_of_the_app() -> None:
    assert (SUFFIX, LONGEST_SUFFIX) == (NAME, LONGEST)
    assert isinstance(SUFFIX, re.Pattern)
