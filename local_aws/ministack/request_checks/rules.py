"""The rows of the tables: a member of a request, when it is wrong, and AWS's code and message for it."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from local_aws.ministack.request_checks.tags import TagCodes

Params = Mapping[str, Any]
# AWS's code and message.
Error = tuple[str, str]
Test = Callable[[Any], bool]


@dataclass(frozen=True)
class Rule:
    """The error for a value of a member, in the given operations, or in all that have the member.

    Without a member, `is_wrong` takes all parameters. `{}` in the message is the value.
    """

    member: str
    is_wrong: Test
    code: str
    message: str
    operations: Collection[str] = ()
    besides: Collection[str] = ()

    def error(self, operation: str, params: Params) -> Error | None:
        """Return the error of a request, or None."""
        if operation in self.besides or (self.operations and operation not in self.operations):
            return None
        value = params.get(self.member) if self.member else params
        if value is None or not self.is_wrong(value):
            return None
        return self.code, self.message.format(value if self.member else "")


@dataclass(frozen=True)
class Checks:
    """What AWS refuses of the requests to a service.

    `forms` are the rules about values alone, which AWS checks before what exists: `states`.
    """

    # The code for a request that the model does not allow; empty: the model is not asked.
    invalid: str = ""
    # The code for one without a required member, where it is another.
    missing: str = ""
    forms: tuple[Rule, ...] = ()
    states: tuple[Rule, ...] = ()
    tags: TagCodes | None = None
    # MiniStack's codes that AWS does not have, and AWS's.
    renamed: Mapping[str, str] = field(default_factory=dict)

    def form_error(self, operation: str, params: Params) -> Error | None:
        """Return the error of a value, or None."""
        return _first(self.forms, operation, params)

    def state_error(self, operation: str, params: Params) -> Error | None:
        """Return the error that what exists is the reason for, or None."""
        return _first(self.states, operation, params)


def _first(rules: tuple[Rule, ...], operation: str, params: Params) -> Error | None:
    found = (rule.error(operation, params) for rule in rules)
    return next((error for error in found if error is not None), None)


def unlike(pattern: str) -> Test:
    """Return a test for a text that a pattern does not match as a whole."""
    compiled = re.compile(pattern, re.DOTALL)
    return lambda value: compiled.fullmatch(str(value)) is None


def other_than(*values: object) -> Test:
    """Return a test for a value that is none of these."""
    return lambda value: value not in values


def some(test: Test) -> Test:
    """Return a test for a list with an item that is wrong."""
    return lambda values: any(test(value) for value in values)


def is_no_json(text: str | bytes) -> bool:
    """Return whether a text is not JSON."""
    try:
        json.loads(text)
    except ValueError:
        return True
    return False
