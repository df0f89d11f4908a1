"""A clock in a terminal, so that a command that waits for AWS does not stand still."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn


@contextmanager
def clock(what: str, console: Console | None = None) -> Iterator[None]:
    """Show the time that has passed and what is waited for, until the context ends; print nothing in it.

    It is on standard error (default), and only in a terminal: the output of a command stays as it is.
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    columns = (TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as progress:
        progress.add_task(what)
        yield
