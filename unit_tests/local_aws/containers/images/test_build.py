"""Image builds: files, pip, the cache, and layers without paths of this machine."""

import subprocess
import tarfile
from pathlib import Path

import pytest

from local_aws.containers.images import layers
from local_aws.containers.images.build import BuildError
from local_aws.containers.images.build_context import BuildContext, ignore_rules
from local_aws.containers.images.dockerfile import DockerfileError
from local_aws.containers.images.store import file_digest
from unit_tests.local_aws.containers.fakes import BASE, build, project, shared_store, wheel

INSTALL = "RUN pip install --no-index --no-cache-dir --disable-pip-version-check"


def test_an_image_has_the_files_and_what_pip_installed(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "", main__py="print('hello')")
    file = wheel(folder)
    project(
        folder,
        f"FROM BASE\nWORKDIR /srv\nCOPY {file} ./\n{INSTALL} ./{file}\nCOPY main.py ./\nCMD python main.py",
    )
    root = shared_store().unpack(build(folder))
    assert (root / "srv/main.py").read_text() == "print('hello')"
    script = root / "usr/local/bin/thing"
    answer = subprocess.run([script], capture_output=True, text=True, check=True)  # noqa: S603 - just built
    assert answer.stdout == "the thing\n"


def test_pip_can_remove_itself_from_an_image(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "")
    file = wheel(folder)
    install = f"{INSTALL} /{file} && python -m pip uninstall --yes pip setuptools wheel"
    root = shared_store().unpack(build(project(folder, f"FROM BASE\nCOPY {file} /\n{install}")))
    packages = {path.name for path in root.glob("usr/local/lib/python3*/site-packages/*")}
    assert not packages & {"pip", "setuptools"}
    answer = subprocess.run(  # noqa: S603 - just built
        [root / "usr/local/bin/thing"], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "the thing\n"
    assert not (root / "usr/local/bin/pip").exists()


def test_layers_contain_no_path_of_this_machine(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "")
    file = wheel(folder)
    image = build(project(folder, f"FROM BASE\nCOPY {file} /\n{INSTALL} /{file}"))
    store = shared_store()
    for digest in image.layers:
        with tarfile.open(store.blob(digest)) as archive:
            for member in archive:
                assert str(store.root) not in member.linkname
                if member.isfile() and "/bin/" in f"/{member.name}":
                    content = archive.extractfile(member)
                    assert content is not None
                    assert str(store.root).encode() not in content.read()


def test_an_unchanged_build_is_the_same_image_from_the_cache(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "FROM BASE\nCOPY a__txt /\nCMD python", a__txt="x")
    project(folder, "FROM BASE\nCOPY a.txt /\nCMD python")
    first = build(folder)
    (folder / "a.txt").touch()
    lines: list[str] = []
    assert build(folder, lines).id == first.id
    assert sum("CACHED" in line for line in lines) == 2


def test_a_changed_file_invalidates_its_layer_and_the_layers_after_it(tmp_path: Path) -> None:
    text = "FROM BASE\nCOPY a.txt /\nARG V\nENV V=$V\nCOPY b.txt /\n"
    folder = project(tmp_path / "p", text, a__txt="same", b__txt="one")
    first = build(folder, V="1")
    (folder / "b.txt").write_text("two")
    lines: list[str] = []
    second = build(folder, lines, V="1")
    assert second.layers[:2] == first.layers[:2]
    assert second.layers[2] != first.layers[2]
    assert build(folder, V="2").id != second.id


def test_a_failing_pip_fails_the_build_and_is_not_cached(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", f"FROM BASE\n{INSTALL} no-such-thing")
    for _ in range(2):
        with pytest.raises(BuildError, match="did not complete successfully: exit code: 1"):
            build(folder)


def test_an_image_is_content_addressed(tmp_path: Path) -> None:
    image = build(project(tmp_path / "p", "FROM BASE\nUSER 10001\n"))
    store = shared_store()
    assert file_digest(store.blob(image.id)) == image.id
    assert image.config.user == "10001"
    assert store.manifest(image) == store.manifest(store.image(image.id))


def test_dockerignore_excludes_files_and_includes_exceptions(tmp_path: Path) -> None:
    folder = project(tmp_path / "p", "FROM BASE\nCOPY . /srv/", a__txt="", b__txt="", keep__log="", x__log="")
    (folder / ".dockerignore").write_text("# comment\n*.log\n!keep.log\nb.txt\n")
    found = BuildContext(folder, folder / "Dockerfile").resolve((".",), "/srv/")
    names = {Path(name).name for name, path in found.items() if path.is_file()}
    assert {"a.txt", "keep.log"} <= names
    assert not names & {"b.txt", "x.log"}


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("**/__pycache__", "a/b/__pycache__/c.pyc", True),
        ("tests", "tests/unit/a.py", True),
        ("*.py", "a/b.py", False),
        ("a/*/c", "a/b/c", True),
        ("a?", "ab", True),
        ("/.git", ".git/config", True),
        ("tests", "tests2", False),
    ],
)
def test_ignore_patterns_match_as_in_docker(pattern: str, path: str, matches: bool) -> None:
    ((expression, _),) = ignore_rules(pattern)
    assert bool(expression.match(path)) is matches


@pytest.mark.parametrize("source", ["../secret", "a/../../secret", "missing.txt"])
def test_a_source_outside_of_the_context_or_missing_fails_the_build(tmp_path: Path, source: str) -> None:
    (tmp_path / "secret").write_text("x")
    folder = project(tmp_path / "p", f"FROM BASE\nCOPY {source} /srv/")
    with pytest.raises(DockerfileError):
        build(folder)


def test_a_link_that_points_out_of_the_context_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/secret").write_text("x")
    folder = project(tmp_path / "p", "FROM BASE\nCOPY link/secret /srv/")
    (folder / "link").symlink_to(tmp_path / "out")
    with pytest.raises(DockerfileError, match="outside the build context"):
        build(folder)


def test_a_layer_removes_what_its_step_removed(tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    (before / "removed").write_text("x")
    old = layers.snapshot(before)
    (before / "removed").unlink()
    (before / "new").write_text("y")
    changed, removed = layers.changes(old, layers.snapshot(before))
    layers.write(tmp_path / "layer", before, changed, removed)
    other = tmp_path / "other"
    other.mkdir()
    (other / "removed").write_text("x")
    layers.apply(tmp_path / "layer", other)
    assert sorted(path.name for path in other.iterdir()) == ["new"]


def test_a_layer_cannot_write_outside_of_the_image(tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_text("x")
    with tarfile.open(tmp_path / "layer", "w") as archive:
        archive.add(source, "../escaped")
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(ValueError, match="outside of the image"):
        layers.apply(tmp_path / "layer", root)
    assert not (tmp_path / "escaped").exists()


def test_the_base_image_is_created_once() -> None:
    store = shared_store()
    version = BASE.rpartition(":")[2].removesuffix("-slim")
    assert store.base(version).id == store.base(version).id
