"""The readers of the context keys for other AWS accounts and for GitHub."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from infrastructure.config.environments import read_suffix
from infrastructure.naming import REGION

ACCOUNT = re.compile(r"[0-9]{12}")
# GitHub's own limits: 39 letters, digits and single hyphens for an owner, 100 characters for a repository.
REPOSITORY = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_GITHUB_ID = re.compile(r"[1-9][0-9]{0,18}")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
PRINCIPAL = re.compile(r"arn:aws:iam::[0-9]{12}:(role|user)/([!-)+->@-~]{1,511}/)?[A-Za-z0-9_+=,.@-]{1,64}")
# No `*` and no `?`: in a trust policy they would match other branches too.
BRANCH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
CERTIFICATE = re.compile(
    rf"arn:aws:acm:{REGION}:[0-9]{{12}}:certificate/[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
)
GITHUB_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Each promotion adds to a build variable and a stage; each source adds to policies. All have limits.
MOST_PROMOTIONS = 5
MOST_SOURCES = 10


@dataclass(frozen=True, order=True)
class PeerEnvironment:
    """Another environment, in this account or in another one: its suffix and its account."""

    environment: str
    account: str

    def __str__(self) -> str:
        return f"{self.environment}@{self.account}"


@dataclass(frozen=True, order=True)
class Promotion(PeerEnvironment):
    """An environment to promote to, with the size of its tasks."""

    task_cpu: int = 0
    task_memory: int = 0


def several(pattern: re.Pattern[str], most: int) -> Callable[[object], tuple[str, ...]]:
    """Accept a list from cdk.json, or `a,b` from the command line: 1 to `most` different matching strings."""

    def read(value: object) -> tuple[str, ...]:
        given = tuple(_listed(value))
        if not all(isinstance(each, str) and pattern.fullmatch(each) for each in given):
            raise ValueError
        return _different([str(each) for each in given], most)

    return read


def promotions(value: object) -> tuple[Promotion, ...]:
    """Accept `[{"environment": "staging", "account": "123456789012"}]`, or `staging@123456789012,...`."""
    given = tuple(Promotion(*_environment_and_account(each)) for each in _listed(value))
    _different([each.environment for each in given], MOST_PROMOTIONS)
    return given


def sources(value: object) -> tuple[PeerEnvironment, ...]:
    """Accept the forms of `promotions`; environments of different accounts may have one suffix."""
    given = tuple(PeerEnvironment(*_environment_and_account(each)) for each in _listed(value))
    _different([str(each) for each in given], MOST_SOURCES)
    return given


def github_id(value: object) -> str:
    """Accept an id of GitHub, as a number or as text."""
    if isinstance(value, bool) or not _GITHUB_ID.fullmatch(str(value)):
        raise ValueError
    return str(value)


def flag(value: object) -> bool:
    """Accept true and false, or the text of one from the command line."""
    if isinstance(value, bool):
        return value
    if value not in ("true", "false"):
        raise ValueError
    return value == "true"


def _environment_and_account(value: object) -> tuple[str, str]:
    if isinstance(value, str):
        environment, _, account = value.partition("@")
    elif isinstance(value, dict) and set(value) == {"environment", "account"}:
        environment, account = value["environment"], value["account"]
    else:
        raise ValueError
    if not (isinstance(account, str) and ACCOUNT.fullmatch(account)):
        raise ValueError
    return read_suffix(environment), account


def _listed(value: object) -> Iterable[object]:
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, list):
        return value
    raise ValueError


def _different(given: list[str], most: int) -> tuple[str, ...]:
    if not 1 <= len(given) <= most or len(set(given)) != len(given):
        raise ValueError
    return tuple(given)
