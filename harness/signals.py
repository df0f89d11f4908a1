"""Ctrl-C and SIGTERM end a scenario, but do not interrupt its destroy."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def sigterm_as_keyboard_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM (from CI, from `kill`), so that environments are destroyed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def defer_signals(message: str) -> Iterator[None]:
    """Print `message` on Ctrl-C and SIGTERM, and continue."""

    def print_message(_number: int, _frame: FrameType | None) -> None:
        print(f"\n{message}", flush=True)

    before = {number: signal.signal(number, print_message) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
