"""CodeCommit's API on real repositories in a temporary folder; S3 and EventBridge are fakes."""

import io
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.core.clock import Clock
from local_aws.core.context import Context
from local_aws.services.codecommit.resource_types import SEED_LIMIT
from local_aws.services.codecommit.service import CodeCommit
from local_aws.services.codecommit.validation import check_branch_name, check_file_path, check_repository_name

Events = list[dict[str, Any]]


class FakeS3:
    def __init__(self, body: bytes, length: int | None = None) -> None:
        self.body = body
        self.length = length if length is not None else len(body)

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"ContentLength": self.length, "Body": io.BytesIO(self.body)}


@pytest.fixture
def events() -> Events:
    return []


@pytest.fixture
def context(tmp_path: Path, events: Events) -> Context:
    def emit(source: str, detail_type: str, resources: list[str], detail: dict[str, Any]) -> None:
        assert (source, detail_type) == ("aws.codecommit", "CodeCommit Repository State Change")
        assert resources == [f"arn:aws:codecommit:us-east-1:123456789012:{detail['repositoryName']}"]
        events.append(detail)

    return Context(tmp_path, "http://127.0.0.1:1", Clock(), "test", emit)


@pytest.fixture
def codecommit(context: Context) -> CodeCommit:
    service = CodeCommit(context)
    service.call("CreateRepository", {"repositoryName": "repository-dev"})
    return service


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "the condition is not true after 5 s"
        time.sleep(0.01)


def commit(
    service: CodeCommit, path: str, content: bytes, parent: str | None = None, branch: str = "main"
) -> str:
    params: dict[str, Any] = {
        "repositoryName": "repository-dev",
        "branchName": branch,
        "authorName": "Ada",
        "email": "ada@example.com",
        "commitMessage": "a change",
        "putFiles": [{"filePath": path, "fileContent": content, "fileMode": "EXECUTABLE"}],
    }
    if parent:
        params["parentCommitId"] = parent
    return str(service.call("CreateCommit", params)["commitId"])


def error_code(service: CodeCommit, operation: str, **params: Any) -> str:
    with pytest.raises(AwsError) as caught:
        service.call(operation, {"repositoryName": "repository-dev", **params})
    return caught.value.code


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


def test_each_changed_reference_is_one_event_with_its_old_and_new_commit(
    codecommit: CodeCommit, events: Events
) -> None:
    first = commit(codecommit, "a", b"1")
    second = commit(codecommit, "a", b"2", first)
    codecommit.call(
        "CreateBranch", {"repositoryName": "repository-dev", "branchName": "other", "commitId": first}
    )
    codecommit.call("DeleteBranch", {"repositoryName": "repository-dev", "branchName": "other"})
    wait_until(lambda: len(events) == 4)
    assert [(e["event"], e["referenceName"], e.get("oldCommitId"), e.get("commitId")) for e in events] == [
        ("referenceCreated", "main", None, first),
        ("referenceUpdated", "main", first, second),
        ("referenceCreated", "other", None, first),
        ("referenceDeleted", "other", first, None),
    ]
    assert {e["referenceType"] for e in events} == {"branch"}


def test_no_event_is_sent_when_no_reference_changed(codecommit: CodeCommit, events: Events) -> None:
    commit(codecommit, "a", b"1")
    wait_until(lambda: len(events) == 1)
    codecommit.pushed("repository-dev")
    codecommit.pushed("another")
    time.sleep(0.1)
    assert len(events) == 1


def test_an_event_is_not_sent_by_a_thread_that_holds_the_lock(context: Context) -> None:
    done = threading.Event()

    def emit(source: str, kind: str, resources: list[str], detail: dict[str, Any]) -> None:
        # What CodePipeline does on an event: ask CodeCommit, from a thread of its own.
        caller = threading.Thread(target=service.call, args=("ListRepositories", {}))
        caller.start()
        caller.join(2)
        if not caller.is_alive():
            done.set()

    context.emit = emit
    service = CodeCommit(context)
    service.call("CreateRepository", {"repositoryName": "repository-dev"})
    commit(service, "a", b"1")
    assert done.wait(5)


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a.git", "a b", "ä", "x" * 101, "..", "a;rm"])
def test_a_hostile_repository_name_is_refused(name: str) -> None:
    with pytest.raises(AwsError, match="InvalidRepositoryNameException"):
        check_repository_name(name)


@pytest.mark.parametrize(
    "name", ["", "-x", "a..b", "a b", "a\nb", "@{", "x.lock", "a//b", ".a", "a/", "x^", "\0"]
)
def test_a_hostile_branch_name_is_refused(name: str) -> None:
    with pytest.raises(AwsError, match="InvalidBranchNameException"):
        check_branch_name(name)


@pytest.mark.parametrize("path", ["", "/a", "../a", "a/../b", ".git/config", "a/.GIT/x", "a//b", "a\0"])
def test_a_path_outside_the_repository_is_refused(path: str) -> None:
    with pytest.raises(AwsError, match="InvalidPathException"):
        check_file_path(path)


def test_valid_names_are_accepted() -> None:
    assert check_repository_name("repository-dev_1.x") == "repository-dev_1.x"
    assert check_branch_name("feature/a-b.c") == "feature/a-b.c"
    assert check_file_path(".github/wörk flow.yml") == ".github/wörk flow.yml"


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
    assert error_code(codecommit, "GetCommit", commitId="HEAD~1") == "CommitIdDoesNotExistException"
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


def seed_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as files:
        files.writestr("buildspec.yml", "version: 0.2\n")
        script = zipfile.ZipInfo("tools/run.sh")
        script.external_attr = 0o100755 << 16
        files.writestr(script, "#!/bin/sh\n")
    return target.getvalue()


PROPERTIES = {
    "RepositoryName": "seeded",
    "Code": {"BranchName": "main", "S3": {"Bucket": "b", "Key": "k"}},
    "Tags": [{"Key": "environment", "Value": "dev"}],
}


def test_cloudformation_seeds_the_first_commit(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "client", lambda *_: FakeS3(seed_zip()))
    service = CodeCommit(context)
    kind = service.resource_types()["AWS::CodeCommit::Repository"]
    identifier, attributes = kind.create(PROPERTIES, "Repository", "stack-dev")
    assert attributes["CloneUrlHttp"] == "http://127.0.0.1:1/v1/repos/seeded"
    shown = service.call("GetRepository", {"repositoryName": "seeded"})["repositoryMetadata"]
    assert (shown["repositoryId"], shown["defaultBranch"]) == (identifier, "main")
    found = service.call("GetFile", {"repositoryName": "seeded", "filePath": "tools/run.sh"})
    assert found["fileMode"] == "EXECUTABLE"
    tags = service.call("ListTagsForResource", {"resourceArn": attributes["Arn"]})
    assert tags == {"tags": {"environment": "dev"}}
    kind.delete(identifier, PROPERTIES)
    assert service.call("ListRepositories", {}) == {"repositories": []}
    assert not list((context.state / "codecommit").iterdir())


def test_an_invalid_seed_creates_no_repository(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    service = CodeCommit(context)
    kind = service.resource_types()["AWS::CodeCommit::Repository"]
    monkeypatch.setattr(context, "client", lambda *_: FakeS3(seed_zip(), SEED_LIMIT + 1))
    with pytest.raises(AwsError, match="Code archive supplied cannot be more than 20 MB compressed"):
        kind.create(PROPERTIES, "Repository", "stack-dev")
    monkeypatch.setattr(context, "client", lambda *_: FakeS3(b"no zip"))
    with pytest.raises(AwsError, match="not a zip"):
        kind.create(PROPERTIES, "Repository", "stack-dev")
    with pytest.raises(AwsError, match="unsupported property"):
        kind.create({"RepositoryName": "x", "Colour": "red"}, "Repository", "stack-dev")
    assert service.call("ListRepositories", {}) == {"repositories": []}


def test_an_update_ignores_a_changed_seed_and_keeps_the_commits(codecommit: CodeCommit) -> None:
    first = commit(codecommit, "a", b"1")
    kind = codecommit.resource_types()["AWS::CodeCommit::Repository"]
    old = {"RepositoryName": "repository-dev"}
    new = {
        "RepositoryName": "renamed",
        "RepositoryDescription": "d",
        "Code": {"S3": {"Bucket": "x", "Key": "y"}},
    }
    assert kind.update is not None
    attributes = kind.update(codecommit.find("repository-dev").id, old, new)
    assert attributes["Name"] == "renamed"
    branch = codecommit.call("GetBranch", {"repositoryName": "renamed", "branchName": "main"})
    assert branch["branch"]["commitId"] == first
