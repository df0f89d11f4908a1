"""What the command lines have in common: the meaning of exit codes, and one line for a mistake."""

import argparse
from typing import NoReturn

EXIT_CODES = (
    "Exit code 0: done. 1: something is wrong, or what was tried has failed. 2: wrong usage, or it cannot be "
    "done; one line says why."
)


class Parser(argparse.ArgumentParser):
    """Report a wrong command line in one line."""

    def error(self, message: str) -> NoReturn:
        """Print the line, and end with exit code 2."""
        self.exit(2, f"{self.prog}: {message}: see {self.prog} --help\n")
