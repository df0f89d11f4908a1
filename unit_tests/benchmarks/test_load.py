"""The load from wrk: on which processors, and what is made of its rounds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks import load
from benchmarks.backend import app
from benchmarks.load import Load, absolute, in_turns, processors, relative, running_on, send
from harness.cloud import HarnessError

FAKE_WRK = "#!/bin/sh\necho '{summary}' >&2\n"


def fake_wrk(folder: Path, monkeypatch: pytest.MonkeyPatch, *, failed: int) -> None:
    summary = f'{{"requests": 600, "seconds": 3, "p99": 2500, "failed": {failed}}}'
    (folder / "wrk").write_text(FAKE_WRK.format(summary=summary))
    (folder / "wrk").chmod(0o700)
    monkeypatch.setattr(load, "wrk", lambda: str(folder / "wrk"))


@pytest.mark.parametrize(
    ("available", "servers", "generator"), [({0}, {0}, {0}), ({0, 1}, {0}, {1}), ({2, 5, 7}, {2, 5}, {7})]
)
def test_wrk_has_a_processor_of_its_own_unless_there_is_only_one(
    available: set[int], servers: set[int], generator: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: available)
    assert processors() == (servers, generator)


def test_this_process_runs_where_it_did_before() -> None:
    before = os.sched_getaffinity(0)
    with running_on({min(before)}):
        assert os.sched_getaffinity(0) == {min(before)}
    assert os.sched_getaffinity(0) == before


def test_wrk_measures_requests_per_second_and_the_p99(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_wrk(tmp_path, monkeypatch, failed=0)
    measured = send("http://127.0.0.1:9/", connections=1, seconds=3)
    assert (measured.rate, measured.p99) == (200, 2.5)


def test_a_failed_request_ends_the_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_wrk(tmp_path, monkeypatch, failed=7)
    with pytest.raises(HarnessError, match="7 of 600 requests to http"):
        send("http://127.0.0.1:9/", connections=1, seconds=3)


def test_servers_are_measured_in_turns() -> None:
    order: list[str] = []

    def measure(name: str) -> Load:
        order.append(name)
        return Load(1, 1, 1)

    ours, default = in_turns(lambda: measure("ours"), lambda: measure("default"))
    assert order == ["ours", "default"] * load.ROUNDS
    assert len(ours) == len(default) == load.ROUNDS


def test_a_ratio_is_that_of_a_round_so_a_slow_moment_of_the_machine_changes_none() -> None:
    ours, default = ([Load(rate * factor, 2, 50) for factor in (1, 10, 3)] for rate in (20, 10))
    assert [one.value for one in relative("ours", ours, default)] == [2, 2, 2, 1]


def test_the_spread_is_how_far_the_rounds_are_apart() -> None:
    found = {one.name: one.value for one in absolute("ours", [Load(rate, 2, 50) for rate in (90, 100, 130)])}
    assert (found["ours: requests"], found["ours: spread of the requests"]) == (100, 40)


@pytest.mark.parametrize(("form", "length"), [("whole", "100000"), ("chunked", None)])
def test_the_backend_answers_so_many_bytes(form: str, length: str | None) -> None:
    sent: list[tuple[str, str]] = []
    body = b"".join(app({"PATH_INFO": f"/{form}/100000"}, lambda _, headers: sent.extend(headers)))
    assert len(body) == 100_000
    assert dict(sent).get("Content-Length") == length
