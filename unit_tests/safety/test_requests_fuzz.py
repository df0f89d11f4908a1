"""Services respond to any request body, or reject it with a 4xx status (501 for what is unsupported)."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from botocore.exceptions import BotoCoreError
from hypothesis import given
from hypothesis import strategies as st

from local_aws.core.api import JsonService, snake_case
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.server.accounts import AccountServices
from local_aws.services.ecr_public.registry import PublicRegistry
from unit_tests.safety.hostile import EXAMPLES, bodies, trees

SERVICES = (
    "codebuild",
    "codecommit",
    "codedeploy",
    "codepipeline",
    "ecr",
    "ecs",
    "service-quotas",
    "application-autoscaling",
)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> AccountServices:
    """Services without a server: their calls to other services fail (`BotoCoreError`)."""
    folder = tmp_path_factory.mktemp("account")
    state = folder / "a" / "state"
    state.mkdir(parents=True)
    context = Context(state, "http://127.0.0.1:1", Clock(), "fuzz", lambda *_: None)
    return AccountServices.create(context, MagicMock(), {}, PublicRegistry())


def responds_or_rejects(service: JsonService, operation: str, body: bytes) -> None:
    try:
        status, headers, body_text = service._respond(f"T.{operation}", body)
    except BotoCoreError:
        return
    assert status in (200, 501) or 400 <= status < 500
    assert status == 200 or headers["x-amzn-errortype"]
    assert isinstance(json.loads(body_text), dict)


def outside(state: Path) -> list[str]:
    folder = state.parent.parent
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if state not in path.parents)


@pytest.mark.parametrize("name", SERVICES)
def test_any_bytes_get_a_response(account: AccountServices, name: str) -> None:
    service = account.services[name]

    @EXAMPLES
    @given(st.sampled_from(_operations(service)), st.one_of(st.binary(max_size=30), trees.map(_encode)))
    def tried(operation: str, body: bytes) -> None:
        responds_or_rejects(service, operation, body)

    tried()


@pytest.mark.parametrize("name", SERVICES)
def test_a_body_of_the_right_shape_gets_a_response_whatever_its_strings(
    account: AccountServices, name: str
) -> None:
    service = account.services[name]

    @EXAMPLES
    @given(st.one_of(*(st.tuples(st.just(one), _bodies(service, one)) for one in _operations(service))))
    def tried(request: tuple[str, Any]) -> None:
        responds_or_rejects(service, request[0], _encode(request[1]))

    tried()
    assert outside(service.context.state) == ["a", "a/state"]


def test_a_deeply_nested_body_is_rejected(account: AccountServices) -> None:
    status, _, body_text = account.services["ecs"]._respond("T.ListClusters", b"[" * 200_000)
    assert (status, json.loads(body_text)["__type"]) == (400, "SerializationException")


def _operations(service: JsonService) -> list[str]:
    """Return the operations that the service implements."""
    return [one for one in service.model.operation_names if hasattr(service, snake_case(one))]


def _bodies(service: JsonService, operation: str) -> st.SearchStrategy[Any]:
    shape = service.model.operation_model(operation).input_shape
    return bodies(shape) if shape is not None else st.just({})


def _encode(content: object) -> bytes:
    return json.dumps(content).encode()
