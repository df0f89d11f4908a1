"""`python -m tools COMMAND`: checks of the synthesized templates, generated pages, new services."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from infrastructure.config.catalogue import NAME_WORDS
from infrastructure.errors import AppError

IN_CATALOGUE = "a service of the catalogue in cdk.json"
EXIT_CODES = "Exit code 1: a finding. Exit code 2: it could not be done, for the reason that one line gives."


class Parser(argparse.ArgumentParser):
    """Report a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}: see {self.prog} --help\n")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (AppError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = Parser(prog="python -m tools", description=__doc__, epilog=EXIT_CODES)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    docs = commands.add_parser("docs", help="the generated pages of docs/", epilog=EXIT_CODES)
    mode = docs.add_mutually_exclusive_group(required=True)
    mode.add_argument("--write", action="store_true", help="write them")
    mode.add_argument("--check", action="store_true", help="check them, and the IAM policies")
    docs.set_defaults(run=_docs)

    nag = commands.add_parser("nag", help="check the templates with the rules of cdk-nag", epilog=EXIT_CODES)
    nag.set_defaults(run=_nag)

    limits = commands.add_parser(
        "template-limits", help="compare the templates with CloudFormation's limits", epilog=EXIT_CODES
    )
    limits.add_argument("folder", nargs="?", type=Path, default=Path("cdk.out"), help="(default: cdk.out)")
    limits.set_defaults(run=_template_limits)

    synth = commands.add_parser(
        "synth-every-option", help="synthesize the templates with every option on", epilog=EXIT_CODES
    )
    synth.add_argument("folder", type=Path, help="the folder to write them to")
    synth.set_defaults(run=_synth_every_option)

    for name, summary, which, run in (
        ("new-service", "write a further service and its entry in cdk.json", NAME_WORDS, _new_service),
        ("remove-service", "delete a service and its entry in cdk.json", IN_CATALOGUE, _remove_service),
        ("lock", "write the locked requirements of a service", IN_CATALOGUE, _lock),
    ):
        service = commands.add_parser(name, help=summary, epilog=EXIT_CODES)
        service.add_argument("name", help=which)
        service.set_defaults(run=run)

    advisories = commands.add_parser(
        "advisories", help="fetch the advisories of what the services pin, from OSV", epilog=EXIT_CODES
    )
    advisories.set_defaults(run=_advisories)
    return parser


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
