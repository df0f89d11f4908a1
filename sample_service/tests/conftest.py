"""The service in two forms: called in this process, and served by gunicorn as the image serves it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from greeter import create_app

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def app() -> Flask:
    """Return the service as built from COMMIT, with a route that fails."""
    app = create_app({"TESTING": False, "VERSION": COMMIT})

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("two\nlines")

    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a client that calls the service with no socket."""
    return app.test_client()
