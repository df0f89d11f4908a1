"""Where runs write."""

from pathlib import Path

from harness.folders import remove_finished_runs, run_folder


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    assert run_folder("demo", tmp_path) != run_folder("demo", tmp_path)


def test_what_ended_runs_wrote_is_cleared_and_what_goes_on_is_kept(tmp_path: Path) -> None:
    ended, goes_on = run_folder("demo", tmp_path), run_folder("demo", tmp_path)
    (ended / "probes.jsonl").write_text("{}")
    remove_finished_runs("demo", lambda folder: folder == goes_on, tmp_path)
    assert list((tmp_path / "demo").iterdir()) == [goes_on]
