"""The figures of a run: written, read again, and compared by ratio."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

import benchmarks.__main__
from benchmarks import load_balancer, service
from benchmarks.figures import Figure, Run, compare, comparison_table, machine, remarks, table

OLD = Run({"processors": "2"}, (Figure("synth", 4.0, "s"), Figure("gone", 1.0, "s"), Figure("p99", 3.0, "s")))
NEW = Run(
    {"processors": "2"}, (Figure("synth", 6.0, "s"), Figure("added", 1.0, "s"), Figure("p99", 5.0, "ms"))
)


def text(printed: object) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(printed)
    return captured.get()


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    run = Run(machine(), NEW.figures)
    run.write(tmp_path / "evidence" / "bench.json")
    assert Run.read(tmp_path / "evidence" / "bench.json") == run


def test_the_machine_is_in_the_title() -> None:
    assert set(machine()) == {"processors", "memory", "kernel", "Python"}
    assert "processors 2" in text(table(NEW))


def test_a_figure_is_compared_by_ratio() -> None:
    (synth,) = compare(NEW, OLD)
    assert (synth.old.value, synth.new.value, synth.ratio) == (4.0, 6.0, 1.5)
    assert "1.50" in text(comparison_table(NEW, OLD))


def test_two_zeros_have_the_ratio_one_and_a_new_failure_has_none() -> None:
    zero, one = (Run({}, (Figure("failed", value, "requests"),)) for value in (0.0, 1.0))
    assert compare(zero, zero)[0].ratio == 1
    assert compare(one, zero)[0].ratio == float("inf")


def test_a_figure_of_one_run_only_is_named_also_if_only_its_unit_differs() -> None:
    assert list(remarks(NEW, OLD)) == ["only in the new run: added, p99", "only in the old run: gone, p99"]


def test_another_machine_is_named() -> None:
    other = Run({"processors": "64"}, NEW.figures)
    assert list(remarks(NEW, other)) == ["the old run was on another machine: processors 64"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"machine": {}, "figures": [{"name": "synth"}]}'])
def test_a_file_of_another_form_is_refused_before_anything_is_measured(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmarks.__main__, "_figures", lambda: pytest.fail("it measured"))
    (tmp_path / "bench.json").write_text(content)
    assert benchmarks.__main__.main(["--against", str(tmp_path / "bench.json")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "is not the JSON of a run of make bench" in line


def test_without_wrk_what_needs_it_is_left_out_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("synthesis", "growth", "release", "waits"):
        monkeypatch.setattr(benchmarks.__main__, part, lambda: iter(()))
    monkeypatch.setattr(benchmarks.__main__, "wrk", lambda: None)
    assert [one.name for one in benchmarks.__main__._figures()] == ["all of this"]
    (line,) = capsys.readouterr().err.splitlines()
    assert "install the package wrk" in line
    assert service.NAME in line
    assert load_balancer.NAME in line
