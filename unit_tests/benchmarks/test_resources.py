"""What a server uses: the samples, how they grow, and work on several environments at once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import parser
from benchmarks.environments import each
from benchmarks.resources import Sample, Watch, growing, sample, size, slope
from harness.local import LOG

FIRST = Sample(seconds=0, memory=100, files=20, sockets=30, threads=40, state=1, log=1)


def samples(**grown: float) -> list[Sample]:
    """Return forty samples, one a minute, in which these grow by so much each time."""
    return [
        replace(
            FIRST,
            seconds=60 * number,
            **{name: getattr(FIRST, name) + number * by for name, by in grown.items()},
        )
        for number in range(40)
    ]


def test_a_sample_is_of_the_process_and_of_its_folder(tmp_path: Path) -> None:
    (tmp_path / LOG).write_bytes(bytes(3 * 1024**2))
    before = sample(os.getpid(), tmp_path, 0)
    with socket.socket(), (tmp_path / LOG).open():
        after = sample(os.getpid(), tmp_path, 0)
    assert (after.sockets, after.files) == (before.sockets + 1, before.files + 1)
    assert before.log == 3
    assert before.state >= 3
    assert before.threads >= 1
    assert 1 < before.memory < 10_000


def test_a_file_with_two_names_takes_its_size_once(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(os.urandom(1024**2))
    alone = size(tmp_path)
    (tmp_path / "two").hardlink_to(tmp_path / "one")
    assert size(tmp_path) == alone


def test_a_watch_takes_samples_until_its_process_ends(tmp_path: Path) -> None:
    (tmp_path / LOG).touch()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        watch = Watch(process.pid, tmp_path, 0.01)
        with watch.running():
            while len(watch.samples) < 3:
                threading.Event().wait(0.01)
            process.communicate(b"\n")
            threading.Event().wait(0.1)
    assert [one.seconds for one in watch.samples] == sorted(one.seconds for one in watch.samples)


def test_a_process_that_has_ended_has_no_sample_before_it_is_waited_for(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ProcessLookupError):
            sample(process.pid, tmp_path, 0)


def test_growth_is_by_the_hour_without_what_is_filled_first() -> None:
    found = samples(memory=0.5)
    # Of the first quarter, which is left out.
    found[0] = replace(found[0], memory=1000)
    assert slope(found, "memory") == pytest.approx(30)
    assert slope(found, "files") == 0
    assert slope(found[:1], "memory") == 0


@pytest.mark.parametrize(
    ("grown", "said"),
    [
        ({}, []),
        ({"memory": 0.1, "state": 100, "log": 100}, []),
        ({"memory": 2}, ["memory grew from 129 to 169"]),
        ({"files": 1, "sockets": 1}, ["files grew from 34 to 54", "sockets grew from 44 to 64"]),
    ],
)
def test_what_should_be_flat_and_grows_is_told(grown: dict[str, float], said: list[str]) -> None:
    assert growing(samples(**grown)) == said


def test_too_few_samples_tell_nothing() -> None:
    assert growing(samples(memory=100)[:39]) == []


def test_after_a_failure_no_other_work_begins_and_what_runs_is_stopped() -> None:
    stop, begun = threading.Event(), []

    def work(number: int) -> None:
        begun.append(number)
        if number:
            raise ValueError(str(number))
        assert stop.wait(10)

    with pytest.raises(ValueError, match="1"):
        each([0, 1, 2, 3], work, 2, stop.set)
    assert {0, 1} <= set(begun) < {0, 1, 2, 3}


def test_the_commands_have_the_lengths_of_the_documentation() -> None:
    soak = parser().parse_args(["soak"])
    assert (soak.hours, soak.services, soak.rate) == (2, 3, 100)
    assert tuple(parser().parse_args(["scale"]).environments) == (1, 10, 30)
    assert parser().parse_args([]).against is None
