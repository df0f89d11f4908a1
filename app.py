"""Reads the CDK context once and synthesizes one environment."""

from __future__ import annotations

import sys

from aws_cdk import App

from infrastructure.config.settings import Config
from infrastructure.errors import AppError


def main() -> int:
    """Synthesize, or say in one line what stands in the way."""
    app = App()
    try:
        config = Config.from_context(app.node.get_all_context())
        # Not above: it loads most of the CDK, and a slip in the context should be answered before that.
        from infrastructure.stacks.root import RootStack

        RootStack(app, config=config)
    except AppError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
