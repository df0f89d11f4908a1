"""Ctrl-C, SIGTERM and SIGHUP end a scenario, and its destroy only when they come twice."""

import signal
from collections.abc import Iterator

import pytest

from harness.signals import defer_signals, termination_as_keyboard_interrupt


@pytest.fixture(autouse=True)
def signals_as_in_a_terminal() -> Iterator[None]:
    """A shell starts background processes with SIGINT ignored, and nohup ignores SIGHUP."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        # Not the default, with which a test that fails would end all of them.
        signal.SIGHUP: signal.signal(signal.SIGHUP, lambda *_: None),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_termination_raises_keyboard_interrupt(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), termination_as_keyboard_interrupt():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_destroy_is_not_interrupted(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    finished = False
    with defer_signals("destroying, please wait"):
        signal.raise_signal(number)
        finished = True
    assert finished
    assert "destroying, please wait (once more: leave it as it is)" in capsys.readouterr().out


def test_the_second_signal_interrupts_a_destroy() -> None:
    with defer_signals("destroying, please wait"):
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_with_nohup_a_closed_terminal_does_not_end_a_run() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with termination_as_keyboard_interrupt(), defer_signals("destroying", pytest.fail):
        signal.raise_signal(signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def test_ctrl_c_interrupts_again_after_the_destroy() -> None:
    with defer_signals(""):
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
