"""Synthesize the app for the tools: with the context of cdk.json, and with every option on."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infrastructure.config.catalogue import SERVICES
from infrastructure.config.context_key import camel
from infrastructure.config.environments import ENVIRONMENTS
from infrastructure.config.scaling import EXAMPLE as SCALING_EXAMPLE
from infrastructure.config.settings import Config
from infrastructure.naming import SAMPLE_SERVICE
from infrastructure.warnings import HTTP_WITHOUT_TLS, PLACEHOLDER_EMAIL
from tools.assembly import Assembly

if TYPE_CHECKING:
    from aws_cdk import App

PROJECT = Path(__file__).resolve().parent.parent
SUFFIX = "dev"
# A resource has its construct path, and a nested stack the file of its template.
TRACEABLE = {"aws:cdk:enable-path-metadata": True, "aws:cdk:enable-asset-metadata": True}
# No options: the account spells out what AWS would fill in, an existing VPC takes resources away.
_NO_OPTION = {"account", "existingVpc"}


def defaults() -> dict[str, Any]:
    """Return the context that `cdk` passes to the app for environment dev."""
    context: dict[str, Any] = json.loads((PROJECT / "cdk.json").read_text("utf-8"))["context"]
    return context | {"environmentSuffix": SUFFIX}


def every_option() -> dict[str, Any]:
    """Return the context with what is off by default turned on, each with the example of its rule."""
    rules = Config.rules()
    keys = [entry for entry in fields(Config) if entry.metadata]
    off = {camel(entry.name) for entry in keys if entry.default in (None, False, ())} - _NO_OPTION
    entry = {"secrets": ["API_KEY"], "parameters": ["LOG_LEVEL"], "scaling": SCALING_EXAMPLE}
    return defaults() | {key: rules[key].example for key in sorted(off)} | {SERVICES: {SAMPLE_SERVICE: entry}}


def environment_contexts() -> dict[str, dict[str, Any]]:
    """Return the context of each environment of cdk.json."""
    context = defaults()
    return {name: context | {"environmentSuffix": name} for name in context[ENVIRONMENTS]}


def synthesize(context: Mapping[str, object], folder: Path) -> App:
    """Synthesize one environment into `folder`."""
    # The CDK takes seconds to load, which who needs a context alone should not wait for.
    from aws_cdk import Annotations, App

    from infrastructure.stacks.root import RootStack

    app = App(context={**context, **TRACEABLE}, outdir=str(folder))
    stack = RootStack(app, config=Config.from_context(context))
    # They are for the person who deploys; `cdk synth` and `cdk deploy` print them.
    for warning in (PLACEHOLDER_EMAIL, HTTP_WITHOUT_TLS):
        Annotations.of(stack).acknowledge_warning(warning)
    app.synth()
    return app


def synthesized(context: Mapping[str, object]) -> Assembly:
    """Synthesize one environment, and read its templates."""
    with tempfile.TemporaryDirectory() as folder:
        synthesize(context, Path(folder))
        return Assembly.read(Path(folder))
