"""Where a machine allows no namespaces, one line says so."""

from pathlib import Path

import pytest

from integration_tests.rehearsal import __main__, namespace


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert namespace.problem() == "there is no unshare, nsenter, mount: install util-linux"


def test_a_refusal_of_the_kernel_is_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in namespace.PROGRAMS:
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\necho '{name}: Operation not permitted' >&2\nexit 1\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    expected = "this machine allows no user, network and mount namespaces (unshare: Operation not permitted)"
    assert namespace.problem() == expected


def test_make_rehearsal_then_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(__main__, "problem", lambda: "there is no unshare: install util-linux")
    assert __main__.main() == 2
    assert capsys.readouterr().err == "rehearsal: there is no unshare: install util-linux\n"
