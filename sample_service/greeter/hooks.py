"""What happens to every request: its version header, its line in the log, its error as JSON."""

from __future__ import annotations

import logging
import time

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

access_log = logging.getLogger("greeter.access")


def register(app: Flask) -> None:
    """Make `app` time, sign and log every request, and answer errors in JSON."""
    app.before_request(start_timer)
    app.after_request(sign)
    app.after_request(log)  # Flask runs these in reverse order: the line is written, then the answer signed.
    app.register_error_handler(HTTPException, answer_error)


def start_timer() -> None:
    """Remember when the request began."""
    g.started = time.perf_counter()


def log(response: Response) -> Response:
    """Write one line about the request, without its query, which may hold what no log should."""
    access_log.info(
        "request",
        extra={
            "fields": {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "duration_ms": round((time.perf_counter() - g.started) * 1000, 3),
                "remote": request.remote_addr,
                "version": current_app.config["VERSION"],
            }
        },
    )
    return response


def sign(response: Response) -> Response:
    """Say on every response, errors too, which commit made it."""
    response.headers["X-Version"] = current_app.config["VERSION"]
    return response


def answer_error(error: HTTPException) -> tuple[dict[str, str], int, list[tuple[str, str]]]:
    """Answer an HTTP error as JSON, keeping its headers (`Allow` of a 405)."""
    headers = [pair for pair in error.get_headers() if pair[0] != "Content-Type"]
    return {"error": error.name}, error.code or 500, headers
