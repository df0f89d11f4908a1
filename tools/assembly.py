"""Synthesize the app for those who look at all of it: with cdk.json's context, and with every option on.

`python -m tools.assembly FOLDER` writes the templates with every option, for cfn-lint.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from aws_cdk import App

from infrastructure.config.context_key import camel
from infrastructure.config.settings import Config
from infrastructure.stacks.root import RootStack

PROJECT = Path(__file__).resolve().parent.parent
SUFFIX = "dev"
# A resource says its construct path, and a nested stack its template.
_TRACEABLE = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
# Not an option: it only spells out the account that AWS would fill in.
_NO_OPTION = {"account"}


def defaults() -> dict[str, Any]:
    """Read the context as `cdk` hands it to the app for environment dev."""
    context: dict[str, Any] = json.loads((PROJECT / "cdk.json").read_text("utf-8"))["context"]
    return context | {"environmentSuffix": SUFFIX}


def every_option() -> dict[str, Any]:
    """Turn on what is off by default, each with the example that its own error gives."""
    rules = Config.rules()
    keys = [entry for entry in fields(Config) if entry.metadata]
    off = {camel(entry.name) for entry in keys if entry.default in (None, False, ())} - _NO_OPTION
    return defaults() | {key: rules[key].example for key in sorted(off)}


def synthesize(context: Mapping[str, object], folder: Path) -> App:
    """Synthesize one environment into `folder`."""
    app = App(context={**context, **_TRACEABLE}, outdir=str(folder))
    RootStack(app, config=Config.from_context(context))
    app.synth()
    return app


if __name__ == "__main__":
    synthesize(every_option(), Path(sys.argv[1]).resolve())
