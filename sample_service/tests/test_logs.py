"""What the log says."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest
from conftest import COMMIT
from flask.testing import FlaskClient
from greeter.logs import JsonFormatter


def lines(caplog: pytest.LogCaptureFixture, logger: str) -> list[dict[str, Any]]:
    """Return what `logger` wrote, as the formatter writes it."""
    written = [JsonFormatter().format(record) for record in caplog.records if record.name == logger]
    assert all("\n" not in line for line in written)
    return [json.loads(line) for line in written]


def test_a_request_is_one_line(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    client.get("/version?token=secret")
    (line,) = lines(caplog, "greeter.access")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/version", 200)
    assert line["version"] == COMMIT
    assert line["duration_ms"] >= 0
    assert "secret" not in str(line)


def test_a_failure_is_one_line_with_its_traceback_and_one_access_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.get("/broken")
    (failure,) = lines(caplog, "greeter")
    assert failure["level"] == "ERROR"
    assert "RuntimeError: two\nlines" in failure["exception"]
    (access,) = lines(caplog, "greeter.access")
    assert access["status"] == 500


def test_the_time_is_utc_with_milliseconds() -> None:
    record = logging.LogRecord("n", logging.INFO, "f", 1, "m %s", ("x",), None)
    record.created, record.msecs = 0.5, 500.0
    line = json.loads(JsonFormatter().format(record))
    assert line == {"time": "1970-01-01T00:00:00.500Z", "level": "INFO", "logger": "n", "message": "m x"}
    assert re.fullmatch(r"[\dT:.-]+Z", line["time"])
