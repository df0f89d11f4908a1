"""CodeCommit's API, on real repositories in a temporary folder."""

import io
import zipfile
from pathlib import Path

import pytest

from local_aws.core.api import AwsError
from local_aws.core.context import Context
from local_aws.services.codebuild.archives import unpack
from local_aws.services.codecommit.service import CodeCommit
from unit_tests.local_aws.services.codecommit.fakes import commit, error_code


def test_a_commit_can_be_read_back_with_its_mode_and_its_author(codecommit: CodeCommit) -> None:
    identifier = commit(codecommit, "tools/run.sh", b"\x00binary\r\n")
    found = codecommit.call(
        "GetFile", {"repositoryName": "repository-dev", "filePath": "tools/run.sh", "commitSpecifier": "main"}
    )
    assert found["fileContent"] == b"\x00binary\r\n"
    assert found["fileMode"] == "EXECUTABLE"
    record = codecommit.call("GetCommit", {"repositoryName": "repository-dev", "commitId": identifier})[
        "commit"
    ]
    assert record["author"]["email"] == "ada@example.com"
    assert record["parents"] == []
    folder = codecommit.call("GetFolder", {"repositoryName": "repository-dev", "folderPath": "/"})
    assert [item["absolutePath"] for item in folder["subFolders"]] == ["tools"]


def test_the_first_commit_makes_its_branch_the_default_one(codecommit: CodeCommit) -> None:
    shown = codecommit.call("GetRepository", {"repositoryName": "repository-dev"})["repositoryMetadata"]
    assert "defaultBranch" not in shown
    commit(codecommit, "a", b"1", branch="trunk")
    shown = codecommit.call("GetRepository", {"repositoryName": "repository-dev"})["repositoryMetadata"]
    assert shown["defaultBranch"] == "trunk"
    assert shown["cloneUrlHttp"] == "http://127.0.0.1:1/v1/repos/repository-dev"


def test_a_commit_that_is_not_on_the_tip_is_refused_and_changes_nothing(codecommit: CodeCommit) -> None:
    first = commit(codecommit, "a", b"1")
    second = commit(codecommit, "a", b"2", first)
    with pytest.raises(AwsError, match="ParentCommitIdOutdatedException"):
        commit(codecommit, "a", b"3", first)
    with pytest.raises(AwsError, match="ParentCommitIdRequiredException"):
        commit(codecommit, "a", b"3")
    branch = codecommit.call("GetBranch", {"repositoryName": "repository-dev", "branchName": "main"})
    assert branch["branch"]["commitId"] == second


def test_put_file_refuses_the_same_content_and_delete_file_removes(codecommit: CodeCommit) -> None:
    first = commit(codecommit, "a", b"1")
    request = {"branchName": "main", "filePath": "a", "parentCommitId": first}
    assert error_code(codecommit, "PutFile", **request, fileContent=b"1", fileMode="EXECUTABLE") == (
        "SameFileContentException"
    )
    commit(codecommit, "b", b"1", first)
    request["parentCommitId"] = codecommit.call(
        "GetBranch", {"repositoryName": "repository-dev", "branchName": "main"}
    )["branch"]["commitId"]
    deleted = codecommit.call("DeleteFile", {"repositoryName": "repository-dev", **request})
    differences = codecommit.call(
        "GetDifferences",
        {
            "repositoryName": "repository-dev",
            "beforeCommitSpecifier": first,
            "afterCommitSpecifier": deleted["commitId"],
        },
    )["differences"]
    assert [
        (item["changeType"], (item.get("afterBlob") or item["beforeBlob"])["path"]) for item in differences
    ] == [
        ("D", "a"),
        ("A", "b"),
    ]


def test_a_file_and_a_folder_cannot_have_one_name(codecommit: CodeCommit) -> None:
    first = commit(codecommit, "a", b"1")
    with pytest.raises(AwsError, match="DirectoryNameConflictsWithFileNameException"):
        commit(codecommit, "a/b", b"1", first)
    second = commit(codecommit, "folder/file", b"1", first)
    with pytest.raises(AwsError, match="FileNameConflictsWithDirectoryNameException"):
        commit(codecommit, "folder", b"1", second)


def test_an_unusual_file_name_is_stored_unchanged(codecommit: CodeCommit) -> None:
    commit(codecommit, 'a "quoted"\\ ünd\nfolded', b"1")
    files = codecommit.call("GetFolder", {"repositoryName": "repository-dev", "folderPath": "/"})["files"]
    assert files[0]["absolutePath"] == 'a "quoted"\\ ünd\nfolded'


def test_an_unknown_resource_is_refused_with_awss_error_code(codecommit: CodeCommit) -> None:
    assert (
        error_code(codecommit, "GetRepository", repositoryName="nowhere") == "RepositoryDoesNotExistException"
    )
    assert error_code(codecommit, "CreateRepository") == "RepositoryNameExistsException"
    assert error_code(codecommit, "GetBranch", branchName="main") == "BranchDoesNotExistException"
    assert error_code(codecommit, "GetCommit", commitId="0" * 40) == "CommitIdDoesNotExistException"
    assert error_code(codecommit, "GetFile", filePath="a") == "CommitDoesNotExistException"
    assert error_code(codecommit, "GetBlob", blobId="0" * 40) == "BlobIdDoesNotExistException"


def test_repositories_survive_a_restart(context: Context, codecommit: CodeCommit) -> None:
    first = commit(codecommit, "a", b"1")
    codecommit.call(
        "TagResource",
        {"resourceArn": "arn:aws:codecommit:us-east-1:123456789012:repository-dev", "tags": {"k": "v"}},
    )
    restarted = CodeCommit(context)
    branch = restarted.call("GetBranch", {"repositoryName": "repository-dev", "branchName": "main"})
    assert branch["branch"]["commitId"] == first
    assert restarted.find("repository-dev").tags == {"k": "v"}


def test_an_archive_contains_the_files_and_modes_of_the_commit_regardless_of_gitattributes(
    codecommit: CodeCommit,
) -> None:
    first = commit(codecommit, "run.sh", b"#!/bin/sh\r\n")
    second = commit(codecommit, ".gitattributes", b"run.sh export-ignore text eol=lf\n", first)
    with zipfile.ZipFile(io.BytesIO(codecommit.archive("repository-dev", second))) as files:
        assert sorted(files.namelist()) == [".gitattributes", "run.sh"]
        assert files.read("run.sh") == b"#!/bin/sh\r\n"
        assert files.getinfo("run.sh").external_attr >> 16 & 0o777 == 0o755
    with pytest.raises(AwsError, match="CommitDoesNotExistException"):
        codecommit.archive("repository-dev", "--output=/tmp/x")


def test_a_symbolic_link_is_archived_as_a_file_with_its_target(
    codecommit: CodeCommit, tmp_path: Path
) -> None:
    """https://qiita.com/shonansurvivors/items/8b14180d5b7740be0009 ."""
    first = commit(codecommit, "run.sh", b"#!/bin/sh\n")
    link = {"filePath": "sub/settings.env", "fileContent": b"../run.sh", "fileMode": "SYMLINK"}
    names = {"repositoryName": "repository-dev", "branchName": "main", "parentCommitId": first}
    second = codecommit.call("CreateCommit", {**names, "putFiles": [link]})["commitId"]
    unpack(codecommit.archive("repository-dev", second), tmp_path / "source")
    found = tmp_path / "source/sub/settings.env"
    assert not found.is_symlink()
    assert found.read_text() == "../run.sh"
    assert (tmp_path / "source/run.sh").stat().st_mode & 0o111
