"""Read the CDK context once and synthesize one environment."""

from __future__ import annotations

import sys

from aws_cdk import App

from infrastructure.config.settings import Config
from infrastructure.errors import AppError


def main() -> int:
    """Synthesize, or print the error in one line and return 2."""
    app = App()
    try:
        config = Config.from_context(app.node.get_all_context())
        # Imported late: it loads most of the CDK, and an error in the context comes before that.
        from infrastructure.stacks.root import RootStack

        RootStack(app, config=config)
    except AppError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
