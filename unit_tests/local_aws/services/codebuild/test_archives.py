"""The source and the artifact of a build are zip files."""

import io
import os
import stat
import zipfile
from pathlib import Path

import pytest

from local_aws.services.codebuild.archives import pack, select, unpack
from local_aws.services.codebuild.buildspec import FileSet
from local_aws.services.codebuild.errors import FilesError


def zipped(*entries: tuple[str, bytes, int]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return target.getvalue()


def test_files_keep_their_modes_and_links(tmp_path: Path) -> None:
    archive = zipped(
        ("a/link", b"../run.sh", stat.S_IFLNK | 0o777),
        ("run.sh", b"#!/bin/sh", 0o100755),
        ("a/data", b"x", 0o100644),
    )
    unpack(archive, tmp_path)
    assert stat.S_IMODE((tmp_path / "run.sh").stat().st_mode) == 0o755
    assert (tmp_path / "a" / "link").read_bytes() == b"#!/bin/sh"


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "\\evil"])
def test_an_entry_outside_of_the_source_is_refused(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "src"
    inside.mkdir()
    with pytest.raises(FilesError, match="illegal file path"):
        unpack(zipped(("good", b"", 0o644), (name, b"x", 0o644)), inside)
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("link", ["/etc", "../..", "sub/../../.."])
def test_a_link_outside_of_the_source_is_refused(tmp_path: Path, link: str) -> None:
    with pytest.raises(FilesError, match="illegal file path"):
        unpack(zipped(("a/l", link.encode(), stat.S_IFLNK | 0o777)), tmp_path)


def test_no_file_is_written_through_a_link(tmp_path: Path) -> None:
    archive = zipped(("l", b"good", stat.S_IFLNK | 0o777), ("good/x", b"", 0o644), ("l/evil", b"x", 0o644))
    with pytest.raises(FilesError):
        unpack(archive, tmp_path)
    assert not (tmp_path / "good" / "evil").exists()


def test_an_invalid_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match="not a valid zip"):
        unpack(b"PK", tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name in ("a.json", "b.txt", "out/c.json", "out/deep/d.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("file_set", "names"),
    [
        (FileSet(("a.json",)), ["a.json"]),
        (FileSet(("./a.json", "out/*")), ["a.json", "out/c.json"]),
        (FileSet(("*.json",)), ["a.json"]),
        (FileSet(("**/*.json",)), ["a.json", "out/c.json", "out/deep/d.json"]),
        (FileSet(("**/*",), exclude=("out/**/*",)), ["a.json", "b.txt"]),
        (FileSet(("**/*",), base_directory="out"), ["c.json", "deep/d.json"]),
        (FileSet(("**/*",), base_directory="out", discard_paths=True), ["c.json", "d.json"]),
    ],
)
def test_patterns_match_as_in_codebuild(source: Path, file_set: FileSet, names: list[str]) -> None:
    files, unmatched = select(source, file_set)
    assert (sorted(files), unmatched) == (names, [])


def test_a_pattern_without_a_match_is_skipped_unless_none_matches(source: Path) -> None:
    assert select(source, FileSet(("a.json", "nowhere")))[1] == ["nowhere"]
    with pytest.raises(FilesError, match="no matching artifact paths found"):
        select(source, FileSet(("nowhere",)))
    with pytest.raises(FilesError, match="no matching base directory path found"):
        select(source, FileSet(("*",), base_directory="nowhere"))


def test_devices_and_pipes_are_not_selected(source: Path) -> None:
    (source / "endless").symlink_to("/dev/full")
    os.mkfifo(source / "pipe")
    files, unmatched = select(source, FileSet(("a.json", "endless", "pipe", "*")))
    assert unmatched == ["endless", "pipe"]
    assert not {"endless", "pipe"} & set(files)


def test_a_packed_file_keeps_its_mode(source: Path, tmp_path: Path) -> None:
    (source / "b.txt").chmod(0o750)
    unpack(pack(select(source, FileSet(("b.txt",)))[0]), tmp_path / "unpacked")
    assert stat.S_IMODE((tmp_path / "unpacked" / "b.txt").stat().st_mode) == 0o750
