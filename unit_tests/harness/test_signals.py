"""Ctrl-C and SIGTERM end a scenario, but not its destroy."""

import signal
from collections.abc import Iterator

import pytest

from harness.signals import defer_signals, sigterm_as_keyboard_interrupt


def test_sigterm_raises_keyboard_interrupt() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_as_keyboard_interrupt():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_destroy_is_not_interrupted(number: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    finished = False
    with defer_signals("destroying, please wait"):
        signal.raise_signal(number)
        finished = True
    assert finished
    assert "destroying, please wait" in capsys.readouterr().out


@pytest.fixture
def sigint_as_in_a_terminal() -> Iterator[None]:
    """A shell starts background processes with SIGINT ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("sigint_as_in_a_terminal")
def test_ctrl_c_interrupts_again_after_the_destroy() -> None:
    with defer_signals(""):
        pass
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
