"""`python -m tools COMMAND`: checks of the synthesized templates, generated pages, services."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from infrastructure.config.catalogue import NAME_WORDS
from infrastructure.errors import AppError
from tools.command_line import EXIT_CODES, Parser

Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
FOLDER_HELP = "the folder of the templates"
IN_CATALOGUE = "a service of the catalogue in cdk.json"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (AppError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="python -m tools",
        description="Check the synthesized templates, write the generated pages, and add or remove services.",
        epilog=EXIT_CODES,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    docs = _command(commands, "docs", "write or check the generated pages of docs/", _docs)
    mode = docs.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write them")
    mode.add_argument("--check", action="store_true", help="check them, and the IAM policies")

    _command(commands, "nag", "check the templates with the rules of cdk-nag", _nag)

    summary = "compare the templates with CloudFormation's limits"
    limits = _command(commands, "template-limits", summary, _template_limits)
    limits.add_argument(
        "folder", nargs="?", type=Path, default=Path("cdk.out"), help=f"{FOLDER_HELP} (default: %(default)s)"
    )

    summary = "synthesize the templates with every option on"
    synth = _command(commands, "synth-every-option", summary, _synth_every_option)
    synth.add_argument("folder", type=Path, help=FOLDER_HELP)

    for name, summary, which, run in (
        ("new-service", "write a further service and its entry in cdk.json", NAME_WORDS, _new_service),
        ("remove-service", "delete a service and its entry in cdk.json", IN_CATALOGUE, _remove_service),
        ("lock", "write the locked requirements of a service", IN_CATALOGUE, _lock),
    ):
        _command(commands, name, summary, run).add_argument("name", help=which)

    summary = "fetch the advisories of what the services pin, from OSV"
    _command(commands, "advisories", summary, _advisories)
    return parser


def _command(
    commands: Commands, name: str, summary: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    description = f"{summary[0].upper()}{summary[1:]}."
    command = commands.add_parser(name, help=summary, description=description, epilog=EXIT_CODES)
    command.set_defaults(run=run)
    return command


# Each command imports what it needs: the CDK takes seconds to load, and cdk-nag is for developers only.
def _docs(options: argparse.Namespace) -> int:
    from tools import docs

    return docs.write(docs.PAGES) if options.write else docs.check(docs.PAGES)


def _nag(_: argparse.Namespace) -> int:
    from tools import nag

    return nag.main()


def _template_limits(options: argparse.Namespace) -> int:
    from tools import template_limits

    return template_limits.main(options.folder)


def _synth_every_option(options: argparse.Namespace) -> int:
    from tools.synthesis import every_option, synthesize

    synthesize(every_option(), options.folder.resolve())
    return 0


def _new_service(options: argparse.Namespace) -> int:
    from tools import new_service

    return new_service.main(options.name)


def _remove_service(options: argparse.Namespace) -> int:
    from tools import remove_service

    return remove_service.main(options.name)


def _lock(options: argparse.Namespace) -> int:
    from tools import lock

    return lock.main(options.name)


def _advisories(_: argparse.Namespace) -> int:
    from tools import advisories

    return advisories.main()


if __name__ == "__main__":
    sys.exit(main())
