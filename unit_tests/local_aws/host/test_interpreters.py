"""Finding a Python interpreter that runs."""

import sys
from pathlib import Path

import pytest

from local_aws.host.interpreters import PythonNotFoundError, find_python, probe

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture(autouse=True)
def _fresh() -> None:
    find_python.cache_clear()


def _script(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_interpreter_runs_and_has_the_version() -> None:
    found = find_python(VERSION)
    assert probe(found, VERSION) == found


def test_a_working_shim_is_resolved_to_its_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim = _script(tmp_path / f"python{VERSION}", f'exec {sys.executable} "$@"')
    monkeypatch.setenv("PATH", str(shim.parent))
    found = find_python(VERSION)
    assert found.resolve() == found
    assert found.read_bytes()[:2] != b"#!"
    assert not (found.parent.parent / "pyvenv.cfg").exists()


def test_a_failing_shim_is_skipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = _script(tmp_path / "shims" / f"python{VERSION}", "echo 'command not found' >&2; exit 127")
    monkeypatch.setenv("PATH", str(shim.parent))
    assert probe(shim, VERSION) is None
    assert probe(find_python(VERSION), VERSION)


def test_an_interpreter_of_another_version_is_rejected(tmp_path: Path) -> None:
    assert probe(_script(tmp_path / "python9.9", "echo 9.8 /x"), "9.9") is None
    assert probe(_script(tmp_path / "python9.9", "echo 9.9 /x"), "9.9") == Path("/x")


def test_the_newest_release_of_pyenv_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for release in ("9.9.2", "9.9.10"):
        _script(tmp_path / "versions" / release / "bin/python9.9", f"echo 9.9 {release}")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert "9.9.10" in str(find_python("9.9"))


def test_the_error_for_a_missing_version_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        PythonNotFoundError, match=r"Python 9\.9 is not on this machine: run `uv python install 9\.9`"
    ):
        find_python("9.9")
