"""Starting local_aws: what the user must fix is one line."""

import socket
from pathlib import Path

import pytest

from harness import local
from harness.cloud import HarnessError
from local_aws.core.errors import LocalAwsError
from local_aws.host.interpreters import PythonNotFoundError


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


def test_a_state_saved_on_another_port_is_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(state: Path, **_: object) -> None:
        raise LocalAwsError(f"the snapshot in {state} was made on port 4566: start on that port")

    monkeypatch.setattr(local, "start", start)
    with pytest.raises(HarnessError, match=r"^an environment on port 4566 is saved: make up PORT=4566, or "):
        local.start_local_aws(tmp_path, port=4570)


def test_background_errors_are_one_line() -> None:
    local.check_background_errors([])
    with pytest.raises(HarnessError, match=r"^local_aws reports background errors: one; two$"):
        local.check_background_errors(["one", "two"])
