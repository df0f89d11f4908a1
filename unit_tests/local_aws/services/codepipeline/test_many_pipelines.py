"""Twenty pipelines that run at the same time do not mix up their commits, builds and results."""

import io
import json
import secrets
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.daemon import start
from operations.waiting import NotYetError, wait_for
from unit_tests.local_aws.cloudformation_cloud import Cloud

MANY = 20
# The build of every fifth pipeline fails.
FAILING = frozenset(range(0, MANY, 5))
# A file that exists if a shell has ever interpreted the branch's name or the commit message.
MARK = Path(tempfile.gettempdir()) / f"pwned-{secrets.token_hex(4)}"
BRANCH = f"main;touch${{IFS}}{MARK}`touch${{IFS}}{MARK}`$(touch${{IFS}}{MARK})"
MESSAGE = f"'; touch {MARK}; $(touch {MARK}) `touch {MARK}` \" | touch {MARK} && touch {MARK}"
BUCKET = "artifacts-of-many"
BUILDSPEC = """version: 0.2
phases:
  build:
    commands:
      - test ! -e broken
      - echo "$CODEBUILD_RESOLVED_SOURCE_VERSION" > commit
artifacts:
  files: [commit, number]
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    server = start(tmp_path_factory.mktemp("state"))
    yield Cloud(server)
    assert server.stop() == []


@pytest.fixture(scope="module")
def commits(cloud: Cloud) -> dict[int, str]:
    """Twenty repositories, each with its own number, and twenty pipelines that build them."""
    role = unrestricted_role(cloud)
    cloud.client("s3").create_bucket(Bucket=BUCKET)
    codebuild, codepipeline = cloud.client("codebuild"), cloud.client("codepipeline")
    commits = {number: create_repository(cloud, number) for number in range(MANY)}
    for number in commits:
        codebuild.create_project(
            name=f"many-{number}",
            source={"type": "CODEPIPELINE"},
            artifacts={"type": "CODEPIPELINE"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            serviceRole=role,
        )
    for number in commits:
        codepipeline.create_pipeline(pipeline=pipeline(number, role))
    return commits


def unrestricted_role(cloud: Cloud) -> str:
    """Return a role with all permissions: the tests here are not about permissions."""
    services = [f"{name}.amazonaws.com" for name in ("codepipeline", "codebuild")]
    trust = {"Effect": "Allow", "Principal": {"Service": services}, "Action": "sts:AssumeRole"}
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="many", AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName="many", PolicyName="all", PolicyDocument=document(everything))
    return str(role)


def document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def create_repository(cloud: Cloud, number: int) -> str:
    codecommit, name = cloud.client("codecommit"), f"many-{number}"
    codecommit.create_repository(repositoryName=name)
    files = {"buildspec.yml": BUILDSPEC, "number": f"{number}\n"}
    if number in FAILING:
        files["broken"] = "on purpose\n"
    put = [{"filePath": path, "fileContent": text.encode()} for path, text in files.items()]
    commit = codecommit.create_commit(
        repositoryName=name, branchName=BRANCH, commitMessage=MESSAGE, putFiles=put
    )
    return str(commit["commitId"])


def pipeline(number: int, role: str) -> dict[str, Any]:
    name = f"many-{number}"
    source = {
        "name": "Source",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"},
        "configuration": {"RepositoryName": name, "BranchName": BRANCH, "PollForSourceChanges": "false"},
        "outputArtifacts": [{"name": "Source"}],
    }
    build = {
        "name": "Build",
        "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
        "configuration": {"ProjectName": name},
        "inputArtifacts": [{"name": "Source"}],
        "outputArtifacts": [{"name": "Built"}],
    }
    return {
        "name": name,
        "roleArn": role,
        "artifactStore": {"type": "S3", "location": BUCKET},
        "stages": [{"name": one["name"], "actions": [one]} for one in (source, build)],
        "pipelineType": "V2",
    }


def wait_for_execution(cloud: Cloud, number: int) -> dict[str, Any]:
    """Wait for a pipeline's one execution; return its Build action."""
    client, name = cloud.client("codepipeline"), f"many-{number}"

    def look() -> dict[str, Any]:
        (run,) = client.list_pipeline_executions(pipelineName=name)["pipelineExecutionSummaries"]
        if run["status"] == "InProgress":
            raise NotYetError(run["status"])
        actions = client.list_action_executions(pipelineName=name)["actionExecutionDetails"]
        return {**{one["actionName"]: one for one in actions}["Build"], "run": run["status"]}

    return wait_for(f"the end of {name}", look, deadline=300, interval=0.5)


def test_each_pipeline_ends_with_the_result_of_its_own_commit(cloud: Cloud, commits: dict[int, str]) -> None:
    found = {number: wait_for_execution(cloud, number) for number in commits}
    statuses = {number: (one["run"], one["status"]) for number, one in found.items()}
    assert statuses == {
        number: ("Failed", "Failed") if number in FAILING else ("Succeeded", "Succeeded")
        for number in commits
    }
    s3 = cloud.client("s3")
    for number in commits.keys() - FAILING:
        (built,) = found[number]["output"]["outputArtifacts"]
        place = built["s3location"]
        body = s3.get_object(Bucket=place["bucket"], Key=place["key"])["Body"].read()
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            assert packed.read("number").decode() == f"{number}\n"
            assert packed.read("commit").decode().strip() == commits[number]


def test_no_shell_interprets_a_branch_name_or_a_commit_message(cloud: Cloud, commits: dict[int, str]) -> None:
    codecommit = cloud.client("codecommit")
    message = codecommit.get_commit(repositoryName="many-1", commitId=commits[1])["commit"]["message"]
    assert message.startswith(MESSAGE)
    assert not MARK.exists()


def test_the_builds_run_in_parallel(cloud: Cloud, commits: dict[int, str]) -> None:
    codebuild = cloud.client("codebuild")
    builds = codebuild.batch_get_builds(ids=codebuild.list_builds()["ids"])["builds"]
    assert len(builds) == MANY
    moments = sorted([(one["startTime"], 1) for one in builds] + [(one["endTime"], -1) for one in builds])
    running = most = 0
    for _, step in moments:
        running += step
        most = max(most, running)
    assert most > 1, "at least two ran at the same time"
