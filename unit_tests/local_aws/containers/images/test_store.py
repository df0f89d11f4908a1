"""Unpacked images stay as long as something uses them, and a few of them longer."""

import os
import time
from pathlib import Path

import pytest

from local_aws.containers.images import store as stores
from local_aws.containers.images.store import ImageStore
from unit_tests.local_aws.containers.fakes import BASE, process_engine


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    monkeypatch.setattr(stores, "UNPACKED", 2)
    return ImageStore(tmp_path)


def unpacked(store: ImageStore, name: str, hours: float) -> Path:
    root = store.root / "rootfs" / name
    (root / "app").mkdir(parents=True)
    (root / "app" / "file").write_text(name)
    then = time.time() - 3600 * hours
    os.utime(root, (then, then))
    return root


def test_old_images_are_removed_unless_something_runs_from_them(store: ImageStore) -> None:
    running, oldest = unpacked(store, "running", 4), unpacked(store, "oldest", 3)
    old, recent = unpacked(store, "old", 2), unpacked(store, "recent", 0.5)
    store.prune({running})
    assert not oldest.exists()
    assert [each.exists() for each in (running, old, recent)] == [True] * 3
    unpacked(store, "newest", 0)
    store.prune(set())
    assert sorted(each.name for each in (store.root / "rootfs").iterdir()) == ["newest", "recent"]
    assert not [each for each in (store.root / "work").iterdir() if each.is_dir()], "nothing is left of them"


def test_what_a_build_may_still_run_stays(store: ImageStore) -> None:
    recent = [unpacked(store, str(number), 0.9) for number in range(4)]
    store.prune(set())
    assert all(each.exists() for each in recent)


def test_a_removed_image_is_unpacked_again_and_its_use_is_noted() -> None:
    engine = process_engine()
    image = engine.store.image(engine.pull(BASE))
    root = engine.store.unpack(image)
    os.utime(root, (0, 0))
    assert engine.store.unpack(image) == root
    assert time.time() - root.stat().st_mtime < 60
    engine.stop()
