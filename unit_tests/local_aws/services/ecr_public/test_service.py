"""Sign-ins to public ECR, and the limit of pulls without one (pitfall F11)."""

import base64
from pathlib import Path

import pytest

from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.ecr_public.registry import LOGIN_CHECK, PREFIX, PublicRegistry
from local_aws.services.ecr_public.service import EcrPublic

MANIFEST = f"{PREFIX}docker/library/python/manifests/3.9-slim"


@pytest.fixture
def registry() -> PublicRegistry:
    """Return a registry that admits one pull an hour without a login."""
    return PublicRegistry(pulls_per_second=1 / 3600)


def basic(token: str) -> str:
    return f"Basic {token}"


def test_the_second_pull_at_once_without_a_login_is_refused(registry: PublicRegistry) -> None:
    assert registry.answer(MANIFEST, "")[0] == 200
    status, _, content = registry.answer(MANIFEST, "")
    assert (status, content) == (
        429,
        b'{"errors": [{"code": "TOOMANYREQUESTS", "message": "Rate exceeded"}]}',
    )


def test_a_pull_is_admitted_again_after_the_interval() -> None:
    registry = PublicRegistry(pulls_per_second=1e9)
    assert [registry.answer(MANIFEST, "")[0] for _ in range(3)] == [200, 200, 200]


def test_a_token_of_any_account_pulls_without_the_limit(registry: PublicRegistry, tmp_path: Path) -> None:
    context = Context(tmp_path, "http://127.0.0.1:1", Clock(1.0), "test", emit=lambda *_: None)
    answer = EcrPublic(context, registry).call("GetAuthorizationToken", {})
    token = answer["authorizationData"]["authorizationToken"]
    assert context.background_errors == []
    for path in (LOGIN_CHECK, MANIFEST, MANIFEST):
        assert registry.answer(path, basic(token))[0] == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic !", basic(base64.b64encode(b"AWS:unknown").decode()), basic(base64.b64encode(b"x").decode())],
)
def test_an_unknown_login_is_rejected(registry: PublicRegistry, authorization: str) -> None:
    assert registry.answer(LOGIN_CHECK, authorization)[0] == 401


def test_an_expired_login_is_rejected(registry: PublicRegistry) -> None:
    registry.logins["old"] = 0.0
    assert registry.answer(MANIFEST, basic(base64.b64encode(b"AWS:old").decode()))[0] == 401
