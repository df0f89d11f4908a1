"""Archives with paths outside their folder are rejected, and names and messages never reach a shell."""

import io
import subprocess
import tarfile
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from local_aws.containers.images import layers
from local_aws.core.api import AwsError
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.codebuild.archives import unpack
from local_aws.services.codebuild.errors import FilesError
from local_aws.services.codecommit.resource_types import read_archive
from local_aws.services.codecommit.service import CodeCommit
from local_aws.services.codepipeline.artifacts import Artifact, read_file
from local_aws.services.codepipeline.errors import ArtifactError
from unit_tests.safety.hostile import archive

PATHS_OUTSIDE = ["../x", "a/../../x", "/x", "..", "\\x", "a\\..\\..\\x"]
SHELL = "$(touch x)`touch y`;touch z|\"'&& touch w"


def around(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", PATHS_OUTSIDE)
def test_a_source_with_a_path_outside_is_rejected(tmp_path: Path, name: str) -> None:
    (tmp_path / "src").mkdir()
    with pytest.raises(FilesError):
        unpack(archive((name, "bad")), tmp_path / "src")
    assert around(tmp_path) == ["src"]


@pytest.mark.parametrize(
    "links",
    [
        (("l", "../out"),),
        (("l", "/etc"),),
        # Each link is inside by its name; by way of the first, the second is not.
        (("p/d", "../s"), ("p/d/x", "../../out"), ("s/x/evil", "f")),
        # What a link means changes with the links made after it.
        (("a", "p/q/b/../../x"), ("p/q/b", "../../s")),
    ],
)
def test_no_link_of_a_source_leads_outside_alone_or_through_another(
    tmp_path: Path, links: tuple[tuple[str, str], ...]
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "out").mkdir()
    with pytest.raises(FilesError):
        unpack(archive(("s/f", "1"), links=links), tmp_path / "src")
    assert around(tmp_path / "out") == []


def test_a_link_inside_the_folder_is_unpacked(tmp_path: Path) -> None:
    unpack(archive(("s/f", "1"), links=(("p/l", "../s/f"),)), tmp_path / "src")
    assert (tmp_path / "src/p/l").read_text() == "1"


@pytest.mark.parametrize("name", ["../x", "a/../x", "/x", ".git/hooks/post-update", "a//x"])
def test_a_seed_with_a_path_outside_is_rejected(name: str) -> None:
    with pytest.raises(AwsError, match="not valid"):
        read_archive(archive((name, "bad")))


def spoilt() -> bytes:
    """Return a zip whose file's packed bytes are none."""
    whole = bytearray(archive(("taskdef.json", "x" * 100)))
    whole[30 + len("taskdef.json") : 34 + len("taskdef.json")] = b"\xff" * 4
    return bytes(whole)


def test_a_corrupt_zip_is_rejected_wherever_one_is_read(tmp_path: Path) -> None:
    with pytest.raises(AwsError, match="not a zip file"):
        read_archive(spoilt())
    with pytest.raises(FilesError):
        unpack(spoilt(), tmp_path / "src")
    s3 = MagicMock(**{"get_object.return_value": {"Body": io.BytesIO(spoilt())}})
    with pytest.raises(ArtifactError, match="Did not find the file"):
        read_file(s3, Artifact("a", "b", "k"), "taskdef.json")


@pytest.mark.parametrize("name", ["../x", "/x", "l/x", "a/../../x"])
def test_a_layer_with_a_path_outside_is_rejected(tmp_path: Path, name: str) -> None:
    root, layer = tmp_path / "root", tmp_path / "layer.tar"
    root.mkdir()
    (tmp_path / "out").mkdir()
    with tarfile.open(layer, "w") as written:
        link = tarfile.TarInfo("l")
        link.type, link.linkname = tarfile.SYMTYPE, "../out"
        written.addfile(link)
        written.addfile(tarfile.TarInfo(name))
    with pytest.raises(ValueError, match=r"outside|subpath"):
        layers.apply(layer, root)
    assert around(tmp_path) == ["layer.tar", "out", "root"]
    assert around(tmp_path / "out") == []


def test_a_commit_s_texts_are_not_interpreted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    codecommit = CodeCommit(Context(tmp_path / "state", "http://127.0.0.1:1", Clock(), "t", lambda *_: None))
    codecommit.call("CreateRepository", {"repositoryName": "r"})
    branch = "$(touch${IFS}x);`touch${IFS}y`"
    made = codecommit.call(
        "CreateCommit",
        {
            "repositoryName": "r",
            "branchName": branch,
            "authorName": SHELL,
            "email": SHELL,
            "commitMessage": SHELL,
            "putFiles": [{"filePath": SHELL, "fileContent": b"1"}],
        },
    )
    commit = {"repositoryName": "r", "commitId": made["commitId"]}
    assert SHELL in codecommit.call("GetCommit", commit)["commit"]["message"]
    (git,) = (tmp_path / "state").rglob("*.git")
    done = subprocess.run(  # noqa: S603 - git on the test's own repository
        ["git", "-C", str(git), "for-each-ref", "--format=%(refname)"],  # noqa: S607
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == f"refs/heads/{branch}"
    assert around(tmp_path) == ["state"]
    assert not [path for path in tmp_path.rglob("*") if path.name in ("w", "x", "y", "z")]
