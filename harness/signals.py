"""Ctrl-C and SIGTERM end a scenario, never its destroy."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def sigterm_as_keyboard_interrupt() -> Iterator[None]:
    """Turn SIGTERM (of CI, of `kill`) into KeyboardInterrupt, so that what is started gets destroyed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def defer_signals(say: str) -> Iterator[None]:
    """Answer Ctrl-C and SIGTERM with `say` on the terminal, and carry on."""

    def answer(_number: int, _frame: FrameType | None) -> None:
        print(f"\n{say}", flush=True)

    before = {number: signal.signal(number, answer) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
