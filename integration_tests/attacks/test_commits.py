"""Attacks by a commit: on the gates it must pass, and on what its tests can reach."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from harness.build_project import BuildProject, BuildResult
from harness.cloud import Cloud
from harness.stacks import CREATED, Stack, temporary_stack
from harness.synthesized_app import synthesized
from integration_tests.pitfalls.builds import project
from integration_tests.pitfalls.pipelines import Outcome, Pipeline
from operations.waiting import NotYetError, wait_for

pytestmark = pytest.mark.slow

PROBE = Path(__file__).with_name("probe.py")
SHADOW = "print('No issues identified.')\nraise SystemExit(0)\n"
CREDENTIALS = '"""Credentials."""\n\nPASSWORD = "correct-horse-battery-staple"\n'
BANDIT = "[bandit]\nskips: B105\n"


@pytest.fixture(scope="module")
def stack(cloud: Cloud) -> Iterator[Stack]:
    """The two projects of the Build stage, without a pipeline."""
    with temporary_stack(cloud, project(cloud)) as found:
        assert found.final_status() == CREATED, found.failures()
        yield found


def refused_build(stack: Stack, files: dict[str, str]) -> BuildResult:
    """Build an image of the seed with other files; nothing is pushed."""
    build = BuildProject(stack).build(files=files)
    images = stack.cloud.client("ecr").list_images(repositoryName=stack.physical_name("images-the-suffix"))
    assert images["imageIds"] == []
    assert (build.status, build.phases["PRE_BUILD"]) == ("FAILED", "FAILED")
    return build


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        (
            "buildspec.yml",
            "version: 0.2\nphases: {build: {commands: [true]}}\n",
            "buildspec.yml of the commit",
        ),
        ("appspec.yaml", "version: 0.0\n", "appspec.yaml of the commit is not read"),
        (
            "taskdef.json",
            '{"containerDefinitions": [{"name": "app", "user": "0:0"}]}',
            "app.user is the plat",
        ),
    ],
)
def test_a_commit_does_not_change_the_rules_that_judge_it(
    stack: Stack, name: str, text: str, words: str
) -> None:
    """attacks C2, C12, C13: the build says which file or field, before there is an image."""
    assert words in refused_build(stack, {name: text}).log


@pytest.mark.parametrize(
    "files",
    [
        {"bandit.py": SHADOW},
        {"bandit/__init__.py": "", "bandit/__main__.py": SHADOW},
        {
            ".bandit": "[bandit]\nskips: B105\nexclude: /\n",
            "sample_service/.bandit": "[bandit]\nskips: B105\n",
        },
        {"sitecustomize.py": SHADOW, "sample_service/sitecustomize.py": SHADOW},
        {"pyproject.toml": '[tool.bandit]\nskips = ["B105"]\n', "setup.cfg": BANDIT},
    ],
    ids=["a module", "a package", "a configuration", "a start-up file", "other configurations"],
)
def test_a_commit_does_not_replace_the_scanner(stack: Stack, files: dict[str, str]) -> None:
    """attack C3: the hard-coded password beside it is found all the same."""
    password = {"sample_service/greeter/credentials.py": CREDENTIALS}
    build = BuildProject(stack, "test").build(files={**files, **password})
    assert (build.status, build.phases["PRE_BUILD"]) == ("FAILED", "FAILED")
    assert "Possible hardcoded password: 'correct-horse-battery-staple'" in build.log


@pytest.fixture(scope="module")
def probed(cloud: Cloud) -> Iterator[tuple[Stack, str]]:
    """A pipeline that has released the commit with the probe, and the log of its tests."""
    with temporary_stack(cloud, synthesized(cloud).resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        pipeline = Pipeline(cloud, stack.physical_name("pipeline-the-suffix"))
        assert pipeline.outcome("Deploy") == Outcome("Succeeded")
        run = wait_for_run(pipeline, commit_probe(stack))
        assert pipeline.outcome("Test", run) == Outcome("Succeeded")
        assert pipeline.outcome("Deploy", run) == Outcome("Succeeded")
        (test,) = [one for one in pipeline.actions(run) if one["actionName"] == "Test"]
        build = test["output"]["executionResult"]["externalExecutionId"]
        yield stack, BuildProject(stack, "test").wait_for(build).log


def commit_probe(stack: Stack) -> str:
    """Commit the probe to main; return the commit."""
    client, name = stack.cloud.client("codecommit"), stack.physical_name("repository-the-suffix")
    head = client.get_branch(repositoryName=name, branchName="main")["branch"]["commitId"]
    probe = stack.physical_name(PROBE.read_text()).replace("the-account", stack.cloud.account.id)
    file = {"filePath": "sample_service/tests/test_probe.py", "fileContent": probe.encode()}
    made = client.create_commit(repositoryName=name, branchName="main", parentCommitId=head, putFiles=[file])
    return str(made["commitId"])


def wait_for_run(pipeline: Pipeline, commit: str) -> str:
    """Wait for the execution of a commit; return its id."""

    def look() -> str:
        for run in pipeline.runs():
            if commit in [one["revisionId"] for one in run["sourceRevisions"]]:
                return str(run["pipelineExecutionId"])
        raise NotYetError("no run of it yet")

    return wait_for("the run of the commit", look, deadline=60, interval=0.2)


def test_the_tests_of_a_commit_reach_nothing_of_the_pipeline(probed: tuple[Stack, str]) -> None:
    """attacks C1, C4, C5, C6, C7, C8, C9, C10, C11, C23, I5: each attempt is denied by name."""
    _, log = probed
    attempts = re.findall(r'ATTEMPT \["([^"]+)", (\d+), "(.*)"\]', log)
    assert len(attempts) == 17, log
    for name, code, said in attempts:
        words = "Cannot connect to the Docker daemon" if name == "use Docker" else "not authorized to perform"
        assert int(code) != 0, name
        assert words in said, f"{name}: {said}"


def test_what_is_released_is_what_was_committed(probed: tuple[Stack, str]) -> None:
    """attack C21: the tests, or a package that they install, change the code after it was scanned."""
    stack, _ = probed
    elbv2 = stack.cloud.client("elbv2")
    name = stack.physical_name("load-balancer-the-suffix")
    (balancer,) = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"]
    answer = requests.get(stack.cloud.resolve(f"http://{balancer['DNSName']}/"), timeout=10)
    assert answer.status_code == 200
    assert "taken over" not in answer.text


def test_each_build_pushes_under_a_tag_that_no_other_knows(probed: tuple[Stack, str]) -> None:
    """attack C22: the tag of a colleague's commit is taken before their build."""
    stack, _ = probed
    images = stack.cloud.client("ecr").list_images(repositoryName=stack.physical_name("images-the-suffix"))
    tags = {one.get("imageTag", "") for one in images["imageIds"]} - {""}
    pushed = {tag for tag in tags if not tag.startswith(("in-use-", "sha256-"))}
    assert len(pushed) == 2
    assert all(re.fullmatch(r"commit-[0-9a-f]{40}-[0-9a-f-]{36}", tag) for tag in pushed)
