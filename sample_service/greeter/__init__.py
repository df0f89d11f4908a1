"""A small JSON service that always says which commit answers."""

from __future__ import annotations

import os
from collections.abc import Mapping

from flask import Flask

from . import hooks, routes


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Create the service; VERSION is the commit in GIT_COMMIT, else `unknown`, unless `config` gives one."""
    app = Flask(__name__)
    app.config.from_mapping(VERSION=os.environ.get("GIT_COMMIT") or "unknown")
    app.config.from_mapping(config or {})
    hooks.register(app)
    app.register_blueprint(routes.blueprint)
    return app
