"""The folders of runs."""

from pathlib import Path

from harness.folders import remove_finished_runs, run_folder


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    assert run_folder("demo", tmp_path) != run_folder("demo", tmp_path)


def test_folders_of_finished_runs_are_removed_and_others_are_kept(tmp_path: Path) -> None:
    finished, running = run_folder("demo", tmp_path), run_folder("demo", tmp_path)
    (finished / "probes.jsonl").write_text("{}")
    remove_finished_runs("demo", lambda folder: folder == running, tmp_path)
    assert list((tmp_path / "demo").iterdir()) == [running]
