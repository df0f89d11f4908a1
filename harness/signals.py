"""Ctrl-C, SIGTERM and SIGHUP end a scenario; during its destroy, only the second one does.

With nohup, SIGHUP does nothing: a run of two hours goes on when its terminal is closed.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# From CI or `kill`, and from a terminal that closes.
TERMINATION = (signal.SIGTERM, signal.SIGHUP)
Handler = Callable[[int, FrameType | None], None]


@contextmanager
def termination_as_keyboard_interrupt() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGTERM and SIGHUP, so that environments are destroyed."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(TERMINATION, interrupt):
        yield


@contextmanager
def defer_signals(message: str, say: Callable[[str], None] = print) -> Iterator[None]:
    """On the first signal, `say` the message and continue; on the second, raise KeyboardInterrupt."""
    received = []

    def answer(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            raise KeyboardInterrupt
        say(f"\n{message} (once more: leave it as it is)")

    with _handled((signal.SIGINT, *TERMINATION), answer):
        yield


@contextmanager
def _handled(numbers: tuple[signal.Signals, ...], handler: Handler) -> Iterator[None]:
    is_nohup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    handled = [number for number in numbers if not (is_nohup and number == signal.SIGHUP)]
    before = {number: signal.signal(number, handler) for number in handled}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
