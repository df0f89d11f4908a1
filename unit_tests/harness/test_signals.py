"""Ctrl-C and SIGTERM end a scenario, but not its destroy; errors when local_aws starts."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import local
from harness.cloud import HarnessError
from harness.signals import defer_signals, sigterm_as_keyboard_interrupt
from local_aws.host.interpreters import PythonNotFoundError


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


def test_a_missing_python_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def find(version: str) -> Path:
        raise PythonNotFoundError(
            f"Python {version} is not on this machine: run `uv python install {version}`"
        )

    monkeypatch.setattr(local, "find_python", find)
    with pytest.raises(HarnessError, match=r"^Python 3\.9 is not on this machine: run .*$"):
        local.start_local_aws(tmp_path)


def test_a_taken_port_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            HarnessError, match=rf"^port {port} is taken by another program: .* make up PORT=\d+$"
        ):
            local.start_local_aws(tmp_path, port=port)
