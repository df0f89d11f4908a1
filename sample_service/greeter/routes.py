"""What the service answers."""

from __future__ import annotations

from flask import Blueprint, current_app

from .greeting import GREETING

blueprint = Blueprint("greeter", __name__)


@blueprint.get("/")
def greet() -> dict[str, str]:
    """Greet."""
    return {"message": GREETING}


@blueprint.get("/health")
def health() -> dict[str, str]:
    """Say that this process can answer; the load balancer and the container's own check ask it."""
    return {"status": "ok"}


@blueprint.get("/version")
def version() -> dict[str, str]:
    """Say which commit this image was built from."""
    return {"version": current_app.config["VERSION"]}
