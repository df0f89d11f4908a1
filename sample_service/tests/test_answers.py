"""What a caller sees."""

from __future__ import annotations

import pytest
from conftest import COMMIT
from flask.testing import FlaskClient
from greeter import create_app
from greeter.greeting import GREETING


def test_the_root_greets(client: FlaskClient) -> None:
    response = client.get("/")
    assert response.status_code == 200
    assert response.json == {"message": GREETING}


def test_the_greeting_says_something() -> None:
    assert isinstance(GREETING, str)
    assert GREETING.strip()


def test_health_is_ok(client: FlaskClient) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.json == {"status": "ok"}


def test_the_version_is_the_commit(client: FlaskClient) -> None:
    assert client.get("/version").json == {"version": COMMIT}


@pytest.mark.parametrize("path", ["/", "/health", "/version", "/nowhere", "/broken"])
def test_every_response_carries_the_commit(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["X-Version"] == COMMIT


def test_the_commit_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_COMMIT", "abc")
    assert create_app().test_client().get("/version").json == {"version": "abc"}


@pytest.mark.parametrize("value", ["", None])
def test_without_a_commit_the_version_is_unknown(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("GIT_COMMIT", raising=False)
    if value is not None:
        monkeypatch.setenv("GIT_COMMIT", value)
    assert create_app().test_client().get("/version").json == {"version": "unknown"}


def test_an_unknown_path_is_a_json_404(client: FlaskClient) -> None:
    response = client.get("/nowhere")
    assert response.status_code == 404
    assert response.json == {"error": "Not Found"}


def test_a_wrong_method_is_a_json_405_that_says_what_is_allowed(client: FlaskClient) -> None:
    response = client.post("/version")
    assert response.status_code == 405
    assert response.json == {"error": "Method Not Allowed"}
    assert "GET" in response.headers["Allow"]
    assert response.headers.getlist("Content-Type") == ["application/json"]


def test_a_failure_is_a_json_500_without_its_reason(client: FlaskClient) -> None:
    response = client.get("/broken")
    assert response.status_code == 500
    assert response.json == {"error": "Internal Server Error"}
