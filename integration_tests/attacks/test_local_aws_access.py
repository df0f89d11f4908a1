"""What another user of the developer's machine can do to local_aws: call it, and push to its repositories."""

import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.cloud import Cloud
from harness.developer import Developer
from harness.local import find_local_aws, local_aws, local_cloud

NOBODY = 65534
REPOSITORY = "owned"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCAL_AWS_CONTAINERS", "processes")
        with local_aws(folder) as server:
            yield local_cloud(server, folder)


@pytest.fixture(scope="module")
def server(cloud: Cloud) -> Any:
    found = find_local_aws(cloud.folder / "local_aws")
    assert found is not None
    return found


@pytest.fixture(scope="module")
def url(cloud: Cloud) -> str:
    made = cloud.client("codecommit").create_repository(repositoryName=REPOSITORY)
    clone: str = made["repositoryMetadata"]["cloneUrlHttp"]
    return clone


def push(url: str, folder: Path, branch: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Push a commit with these variables, without a prompt."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_TERMINAL_PROMPT": "0", **variables}
    script = (
        "git init --quiet . && git -c user.name=x -c user.email=x@x.x commit --quiet --allow-empty -m x "
        f"&& git push {url} HEAD:refs/heads/{branch}"
    )
    # Not a login shell: `sh` and `git` are those of the machine.
    command = ["sh", "-c", script]
    return subprocess.run(  # noqa: S603 - the script above
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def branches(cloud: Cloud) -> list[str]:
    """Return the repository's branches."""
    found: list[str] = cloud.client("codecommit").list_branches(repositoryName=REPOSITORY)["branches"]
    return found


def test_a_push_without_credentials_is_rejected(cloud: Cloud, url: str, tmp_path: Path) -> None:
    """attack L10: a program of the machine pushes a commit, which a build then runs as the developer."""
    done = push(url, tmp_path, "planted")
    assert done.returncode != 0
    assert "could not read Username" in done.stderr
    assert branches(cloud) == []


def test_another_user_who_pushes_is_rejected(cloud: Cloud, url: str, server: Any) -> None:
    """attack L11: another user reads the secret's files, and pushes with an account number as the key."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    attack = (
        "cd $(mktemp -d) && git init --quiet . && git -c user.name=x -c user.email=x@x.x commit --quiet "
        f"--allow-empty -m x && cat {server.state}/secret {server.credentials_file}; "
        f"git push http://123456789012:local@{url.removeprefix('http://')} HEAD:refs/heads/planted"
    )
    done = subprocess.run(  # noqa: S603 - the script above
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "sh", "-c", attack],  # noqa: S607
        env={"PATH": os.environ["PATH"], "HOME": "/tmp", "GIT_TERMINAL_PROMPT": "0"},  # noqa: S108 - its own
        capture_output=True,
        text=True,
        check=False,
    )
    assert server.secret not in done.stdout
    assert done.stderr.count("Permission denied") == 2
    assert "The requested URL returned error: 403" in done.stderr
    assert branches(cloud) == []


def test_the_developer_pushes_with_the_credentials_file(
    cloud: Cloud, url: str, server: Any, tmp_path: Path
) -> None:
    """attack L10: the counterpart: the documented way works, with the file and as on AWS."""
    assert push(url, tmp_path, "file", **server.variables()).returncode == 0
    developer = Developer(cloud, tmp_path / "developer", url)
    assert developer.git("ls-remote", "--heads", "origin").endswith("refs/heads/file")
    assert branches(cloud) == ["file"]


def test_a_password_of_another_repository_or_hour_is_rejected(
    cloud: Cloud, url: str, server: Any, tmp_path: Path
) -> None:
    """attack L12: a password that was seen once is used for another repository."""
    other = cloud.client("codecommit").create_repository(repositoryName="other")["repositoryMetadata"]
    host = server.endpoint.removeprefix("http://")
    asked = f"protocol=http\nhost={host}\npath=v1/repos/other\n"
    helper = ["aws", "codecommit", "credential-helper", "--ignore-host-check", "get"]
    made = subprocess.run(  # noqa: S603 - the AWS CLI
        helper, input=asked, env=cloud.environment, capture_output=True, text=True, check=True
    )
    found = dict(line.split("=", 1) for line in made.stdout.splitlines())
    seen = f"http://{found['username']}:{found['password']}@{host}"
    accepted = push(f"{seen}/v1/repos/other", tmp_path, "seen")
    assert accepted.returncode == 0, accepted.stderr
    (tmp_path / "again").mkdir()
    rejected = push(f"{seen}/v1/repos/{REPOSITORY}", tmp_path / "again", "seen")
    assert "error: 403" in rejected.stderr
    assert other["repositoryName"] == "other"


def test_hooks_of_a_repository_do_not_run(cloud: Cloud, server: Any, tmp_path: Path) -> None:
    """attack L27: git hooks run as the developer: of a commit, or planted in the server's repository."""
    mark, made = tmp_path / "ran", cloud.client("codecommit").create_repository(repositoryName="hooks")
    developer = Developer(cloud, tmp_path / "developer", made["repositoryMetadata"]["cloneUrlHttp"])
    before = {path.parent for path in (server.state / "codecommit").rglob("HEAD")}
    folders = [developer.clone / "hooks", developer.clone / ".githooks", *(each / "hooks" for each in before)]
    for folder in folders:
        folder.mkdir(exist_ok=True)
        for name in ("pre-receive", "update", "post-receive", "post-update"):
            (folder / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
            (folder / name).chmod(0o755)
    commit = developer.commit("Add hooks")
    developer.push()
    branch = cloud.client("codecommit").get_branch(repositoryName="hooks", branchName="main")["branch"]
    assert branch["commitId"] == commit
    assert len(folders) > 2
    assert not mark.exists()


def test_a_branch_is_named_like_an_option_of_git(cloud: Cloud, tmp_path: Path) -> None:
    """attack L28: the name of a branch or of a commit is an option that runs a command or writes a file."""
    codecommit, mark = cloud.client("codecommit"), tmp_path / "ran"
    named = {"repositoryName": "options"}
    codecommit.create_repository(**named)
    put = {"filePath": "a", "fileContent": b"1"}
    commit = codecommit.put_file(**named, **put, branchName="main")["commitId"]
    for name in (f"--upload-pack=touch${{IFS}}{mark}", f"--output={mark}", f"--exec=touch {mark}"):
        for attempt in (
            partial(codecommit.create_branch, **named, branchName=name, commitId=commit),
            partial(codecommit.get_branch, **named, branchName=name),
            partial(codecommit.get_commit, **named, commitId=name),
            partial(codecommit.put_file, **named, **put, branchName=name, parentCommitId=commit),
        ):
            with pytest.raises(ClientError):
                attempt()
    assert codecommit.list_branches(**named)["branches"] == ["main"]
    assert not mark.exists()


def client(cloud: Cloud, service: str, key: str, secret: str, token: str | None = None) -> "boto3.client":
    """Return a client with other credentials."""
    options = {"signature_version": "s3v4"} if service == "s3" else {}
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **options)
    keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
    return boto3.client(service, endpoint_url=cloud.endpoint, region_name="us-east-1", config=config, **keys)


ACCOUNT = "123456789012"
CALLS = [
    *[("s3", "list_buckets", "SignatureDoesNotMatch", "InvalidAccessKeyId")],
    *[("sts", "get_caller_identity", "SignatureDoesNotMatch", "InvalidClientTokenId")],
    *[("cloudformation", "list_stacks", "SignatureDoesNotMatch", "InvalidClientTokenId")],
    *[("codebuild", "list_projects", "InvalidSignatureException", "UnrecognizedClientException")],
    *[("lambda", "list_functions", "InvalidSignatureException", "UnrecognizedClientException")],
    *[("ec2", "describe_vpcs", "AuthFailure", "AuthFailure")],
]


@pytest.mark.parametrize(("service", "call", "mismatch", "unknown"), CALLS)
def test_a_call_with_the_account_s_number_and_any_secret_is_rejected(
    cloud: Cloud, service: str, call: str, mismatch: str, unknown: str
) -> None:
    """attack L13: another user calls the API with the account's number, or any key, and any secret."""
    for key, code in ((ACCOUNT, mismatch), ("AKIAIOSFODNN7EXAMPLE", unknown), ("test", unknown)):
        with pytest.raises(ClientError) as caught:
            getattr(client(cloud, service, key, "local"), call)()
        assert caught.value.response["Error"]["Code"] == code
    getattr(cloud.client(service), call)()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 403),
        ("GET", "/bucket/key", 403),
        ("PUT", "/bucket", 403),
        ("POST", "/_ministack/reset", 403),
        ("POST", "/_ministack/config", 403),
        ("GET", "/_ministack/sqs/messages", 403),
        ("GET", "/_local_aws/iam", 403),
        ("POST", "/_local_aws/skip-days?days=30", 403),
        ("POST", "/_local_aws/image-scan-findings", 403),
        ("GET", "/_ministack/health", 200),
        ("GET", "/_local_aws/listeners", 200),
    ],
)
def test_an_unsigned_request_changes_nothing(cloud: Cloud, method: str, path: str, status: int) -> None:
    """attack L14: another user resets local_aws, lets days pass, or reads a bucket, without credentials."""
    request = urllib.request.Request(f"{cloud.endpoint}{path}", method=method)  # noqa: S310 - loopback
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
            found = answer.status
    except urllib.error.HTTPError as error:
        found = error.code
        error.close()
    assert found == status


def test_the_state_folder_admits_its_owner_only(server: Any) -> None:
    """attack L15: another user reads the secret, the saved state or a build's files in the state folder."""
    assert server.state.stat().st_mode & 0o077 == 0
    for name in ("secret", "environment"):
        assert (server.state / name).stat().st_mode & 0o077 == 0, name


def test_a_presigned_url_of_another_object_is_rejected(cloud: Cloud) -> None:
    """attack L16: a presigned URL is used for another object."""
    s3 = client(cloud, "s3", ACCOUNT, cloud.keys["AWS_SECRET_ACCESS_KEY"])
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="a b/ü+c", Body=b"1")
    for key, status in (("a b/ü+c", 200), ("other", 403)):
        made = s3.generate_presigned_url("get_object", {"Bucket": "signed", "Key": "a b/ü+c"})
        if key == "other":
            made = made.replace("signed/", "signed/other")
        try:
            with urllib.request.urlopen(made, timeout=10) as answer:  # noqa: S310 - loopback
                found = answer.status
        except urllib.error.HTTPError as error:
            found = error.code
            error.close()
        assert found == status
