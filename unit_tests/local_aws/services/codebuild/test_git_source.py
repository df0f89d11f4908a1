"""CodeBuild builds from a repository of CodeCommit, with a real clone."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local_aws.daemon import start
from unit_tests.local_aws.cloudformation_cloud import Cloud, template

SECONDS = 30.0
NAME = "shop"
REPOSITORY = f"arn:aws:codecommit:us-east-1:123456789012:{NAME}"
COMMANDS = {
    "COMMIT": "git rev-parse HEAD",
    "HISTORY": "git rev-list --count HEAD",
    "HEAD": "git symbolic-ref --quiet HEAD || echo detached",
    "ORIGIN": "git remote get-url origin",
    "FILE": "cat page.html",
    "CREDENTIALS": "git config --list | grep -ci authorization || true",
}
SPEC = {
    "version": "0.2",
    "env": {"exported-variables": [*COMMANDS]},
    "phases": {"build": {"commands": [f"export {name}=$({command})" for name, command in COMMANDS.items()]}},
}


def role(service: str, *statements: dict[str, Any]) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}}
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
    return {
        "Type": "AWS::IAM::Role",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{**trust, "Action": "sts:AssumeRole"}],
        },
        "Policies": [{"PolicyName": "work", "PolicyDocument": document}],
    }


def project(name: str, role_id: str = "Role", **source: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CodeBuild::Project",
        "Name": name,
        "ServiceRole": {"Fn::GetAtt": [role_id, "Arn"]},
        "Source": {
            "Type": "CODECOMMIT",
            "Location": {"Fn::GetAtt": ["Repository", "CloneUrlHttp"]},
            "BuildSpec": json.dumps(SPEC),
            **source,
        },
        "Artifacts": {"Type": "NO_ARTIFACTS"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "Image": "aws/codebuild/standard:7.0",
            "ComputeType": "BUILD_GENERAL1_SMALL",
        },
    }


AWS_URL = f"https://git-codecommit.us-east-1.amazonaws.com/v1/repos/{NAME}"
RULE = {
    "Type": "AWS::Events::Rule",
    "EventPattern": {
        "source": ["aws.codecommit"],
        "resources": [REPOSITORY],
        "detail": {"referenceName": ["side"]},
    },
    "Targets": [
        {
            "Id": "Build",
            "Arn": {"Fn::GetAtt": ["Pushed", "Arn"]},
            "RoleArn": {"Fn::GetAtt": ["RuleRole", "Arn"]},
            "InputTransformer": {
                "InputPathsMap": {"commit": "$.detail.commitId"},
                "InputTemplate": '{"sourceVersion": <commit>}',
            },
        }
    ],
}
STACK = template(
    Repository={"Type": "AWS::CodeCommit::Repository", "RepositoryName": NAME},
    Role=role("codebuild", {"Action": "codecommit:GitPull", "Resource": REPOSITORY}),
    Stranger=role("codebuild", {"Action": "codecommit:GetBranch", "Resource": REPOSITORY}),
    RuleRole=role("events", {"Action": "codebuild:StartBuild", "Resource": "*"}),
    Whole=project("whole"),
    Shallow=project("shallow", GitCloneDepth=1, Location=AWS_URL),
    Denied=project("denied", "Stranger"),
    Pushed=project("pushed"),
    Rule=RULE,
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cloud, list[str]]]:
    """The repository with two commits on main, and its projects."""
    server = start(tmp_path_factory.mktemp("state"))
    cloud = Cloud(server)
    assert cloud.create("shop", STACK) == "CREATE_COMPLETE", cloud.reasons("shop")
    commits = [put(cloud, "one")]
    yield cloud, [*commits, put(cloud, "two", commits[0])]
    assert server.stop() == []


def put(cloud: Cloud, text: str, parent: str | None = None, branch: str = "main") -> str:
    request: dict[str, Any] = {"parentCommitId": parent} if parent else {}
    commit = cloud.client("codecommit").put_file(
        repositoryName=NAME, branchName=branch, fileContent=text.encode(), filePath="page.html", **request
    )
    return str(commit["commitId"])


def finished(cloud: Cloud, identifier: str) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while True:
        build: dict[str, Any] = cloud.client("codebuild").batch_get_builds(ids=[identifier])["builds"][0]
        if build["buildComplete"]:
            return build
        assert time.monotonic() < deadline, build["currentPhase"]
        time.sleep(0.05)


def run(cloud: Cloud, name: str, **overrides: Any) -> dict[str, Any]:
    build = cloud.client("codebuild").start_build(projectName=name, **overrides)["build"]
    assert "resolvedSourceVersion" not in build
    return finished(cloud, build["id"])


def exported(build: dict[str, Any]) -> dict[str, str]:
    assert build["buildStatus"] == "SUCCEEDED", build["phases"]
    return {each["name"]: each["value"] for each in build["exportedEnvironmentVariables"]}


def reason(build: dict[str, Any]) -> str:
    assert build["buildStatus"] == "FAILED"
    phase = next(each for each in build["phases"] if each.get("phaseStatus") == "FAILED")
    return f"{phase['phaseType']} {phase['contexts'][0]['statusCode']}: {phase['contexts'][0]['message']}"


def test_a_build_has_a_clone_of_the_default_branch_without_credentials(
    shop: tuple[Cloud, list[str]],
) -> None:
    cloud, (_, second) = shop
    build = run(cloud, "whole")
    assert exported(build) == {
        "COMMIT": second,
        "HISTORY": "2",
        "HEAD": "detached",
        "ORIGIN": f"{cloud.server.endpoint}/v1/repos/{NAME}",
        "FILE": "two",
        "CREDENTIALS": "0",
    }
    assert build["resolvedSourceVersion"] == second
    assert "sourceVersion" not in build


def test_a_source_version_is_a_branch_a_commit_or_a_branch_with_a_commit(
    shop: tuple[Cloud, list[str]],
) -> None:
    cloud, (first, second) = shop
    wanted = {"main": second, "refs/heads/main": second, first: first, f"refs/heads/main^{{{first}}}": first}
    builds = {version: run(cloud, "whole", sourceVersion=version) for version in wanted}
    assert {version: exported(build)["COMMIT"] for version, build in builds.items()} == wanted
    assert {version: build["resolvedSourceVersion"] for version, build in builds.items()} == wanted
    assert [build["sourceVersion"] for build in builds.values()] == [*wanted]


def test_a_clone_has_the_depth_of_the_project(shop: tuple[Cloud, list[str]]) -> None:
    cloud, (_, second) = shop
    found = exported(run(cloud, "shallow"))
    assert (found["COMMIT"], found["HISTORY"]) == (second, "1")
    assert exported(run(cloud, "shallow", gitCloneDepthOverride=0))["HISTORY"] == "2"


def test_a_role_without_git_pull_fails_the_download(shop: tuple[Cloud, list[str]]) -> None:
    cloud, _ = shop
    assert reason(run(cloud, "denied", sourceVersion="main")) == (
        "DOWNLOAD_SOURCE CLIENT_ERROR: authorization failed for primary source and source version main"
    )


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"sourceVersion": "gone"}, "reference not found for primary source and source version gone"),
        ({"sourceVersion": "a" * 40}, f"object not found for primary source and source version {'a' * 40}"),
        (
            {"sourceLocationOverride": AWS_URL.replace(NAME, "other"), "sourceVersion": "main"},
            "repository not found for primary source and source version main",
        ),
    ],
)
def test_a_source_that_is_not_there_fails_the_download(
    shop: tuple[Cloud, list[str]], overrides: dict[str, str], words: str
) -> None:
    cloud, _ = shop
    assert reason(run(cloud, "whole", **overrides)) == f"DOWNLOAD_SOURCE CLIENT_ERROR: {words}"


def test_a_push_starts_the_build_that_is_the_target_of_a_rule(shop: tuple[Cloud, list[str]]) -> None:
    cloud, (_, second) = shop
    cloud.client("codecommit").create_branch(repositoryName=NAME, branchName="side", commitId=second)
    commit = put(cloud, "three", second, "side")
    found: set[str] = set()
    deadline = time.monotonic() + SECONDS
    while commit not in found and time.monotonic() < deadline:
        ids = cloud.client("codebuild").list_builds_for_project(projectName="pushed")["ids"]
        found = {exported(finished(cloud, each))["COMMIT"] for each in ids}
        time.sleep(0.1)
    # Creating the branch is an event, too.
    assert found == {second, commit}


@pytest.mark.parametrize(
    ("location", "code"),
    [
        (AWS_URL.replace("us-east-1", "eu-west-1"), "UnsupportedOperation"),
        ("https://github.com/owner/shop", "InvalidInputException"),
    ],
)
def test_a_location_elsewhere_is_refused(shop: tuple[Cloud, list[str]], location: str, code: str) -> None:
    cloud, _ = shop
    with pytest.raises(ClientError) as raised:
        cloud.client("codebuild").start_build(projectName="whole", sourceLocationOverride=location)
    assert raised.value.response["Error"]["Code"] == code
