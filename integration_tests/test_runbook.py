"""The commands in the documentation, run against an environment and during a shift.

The tests share one environment and run in file order.
"""

import json
import re
import shlex
import subprocess
from typing import Any

import pytest

from harness.cloud import PROJECT
from harness.developer import Developer
from harness.release import STAGES, Release
from harness.scenario import Scenario
from integration_tests.support.markdown_commands import commands, spans

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# Requests per second.
RATE = 40.0
PAGES = ("README.md", "docs/operations.md", "docs/access.md")
STOP = "aws deploy stop-deployment --deployment-id ID --auto-rollback-enabled"
RETRY = (
    "aws codepipeline retry-stage-execution --pipeline-name pipeline-dev --stage-name Deploy "
    "--pipeline-execution-id ID --retry-mode FAILED_ACTIONS"
)
ROLLBACK = "python -m operations rollback dev"
# Commands that are rejected because nothing has failed: the error shows that their arguments are valid.
REFUSED = {
    RETRY.replace("Deploy", "Source"): "StageNotRetryableException",
    "aws ecr start-image-scan --repository-name images-dev --image-id imageDigest=sha256:...": (
        # Once in 24 hours, and the push was one.
        "LimitExceededException"
    ),
}
# Commands that other tests run, or that no test can run.
NOT_HERE = {
    STOP: "the test below",
    RETRY: "the test below",
    ROLLBACK: "the tests below",
    "python -m operations status": "test_two_environments.py; what it finds depends on the commands before",
    RETRY.replace("Deploy", "Promote-staging"): "it needs an environment that promotes",
    "aws codecommit credential-helper": "git calls it in each scenario on AWS (developer.py)",
    "aws service-quotas request-service-quota-increase": "it opens a request at AWS",
    "aws codepipeline put-approval-result": "test_promotion.py",
    "aws codecommit create-pull-request": "attacks/test_main_branch.py, with a branch",
    "python -m operations approve": "test_promotion.py",
    "python -m operations secrets set": "test_secrets.py, with a service that declares one",
    "python -m operations fleet": "test_catalogue.py, with the environments of a wave",
    "python -m operations protect dev": "attacks/test_main_branch.py",
    "aws iam create-open-id-connect-provider": "an account has one; test_promotion.py deploys it",
    "python -m operations destroy dev": "each scenario ends with it",
    "python -m operations leftovers dev": "each scenario ends with it",
    "python -m operations immutable dev": "test_changes.py; it reads the output of `make synth`",
}


def documented_commands() -> list[str]:
    """Return the commands of the pages that are about an environment, in order."""
    found = [
        command
        for page in PAGES
        for look in (commands, spans)
        for command in look((PROJECT / page).read_text("utf-8"))
    ]
    ours = [one for one in found if re.match(r"aws [a-z-]+ [a-z-]+ --|python -m operations ", one)]
    return [one for one in dict.fromkeys(ours) if not one.startswith(tuple(NOT_HERE))]


def run(scenario: Scenario, command: str, **known: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a page, with the suffix in place of `dev` and `known` values for upper-case words."""
    for word, value in known.items():
        command = re.sub(rf"\b{word}\b", value, command)
    command = re.sub(r"\bdev\b", scenario.environment.suffix, command).replace('"$(cat)"', "not-a-password")
    return subprocess.run(  # noqa: S603 - our own CLIs and documentation
        shlex.split(command),
        cwd=PROJECT,
        env=scenario.cloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_release_is_stopped_and_its_stage_retried(deployed: Scenario, developer: Developer) -> None:
    """No request fails, neither when the canary is stopped nor during the retry."""
    old = deployed.served_version()
    with deployed.probing(RATE) as prober:
        commit = developer.greet("Hello, not yet")
        developer.push()
        deployed.wait_until_probed(prober, commit)
        shifting = stop_release(deployed, commit)
        deployed.settle(prober, old)
        retried = run(deployed, RETRY, ID=shifting.execution)
        assert retried.returncode == 0, retried.stderr
        release = deployed.follow(commit)
        figures = deployed.settle(prober, commit)
    assert release.stage_statuses == dict.fromkeys(STAGES, "Succeeded")
    assert release.execution == shifting.execution, "the same execution, so the same image"
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old, commit}


def test_a_release_goes_back_at_once_while_the_tasks_before_it_stand(
    deployed: Scenario, developer: Developer
) -> None:
    old = deployed.served_version()
    with deployed.probing(RATE) as prober:
        commit = developer.greet("Hello, too soon")
        developer.push()
        deployed.wait_until_probed(prober, commit)
        began = prober.seconds
        done = run(deployed, ROLLBACK)
        assert done.returncode == 0, done.stderr
        assert f"the tasks of {old[:7]}" in done.stdout
        figures = deployed.settle(prober, old)
    assert deployed.follow(commit).status == "Failed"
    assert figures.failures == 0, prober.failures[:3]
    deployed.progress.step(
        f"back at once: {prober.last_of(commit) - began:.1f} s from the command to the last answer of the "
        f"newer version, 0 of {figures.requests} requests failed"
    )


def test_an_earlier_version_is_released_again_without_a_build(deployed: Scenario) -> None:
    """Through the hook and the canary, and no request fails."""
    live, before = (one["commit"] for one in listed(deployed)[:2])
    assert deployed.served_version() == live
    pushed = seconds_of_push(deployed, before)
    builds = deployed.cloud.client("codebuild").list_builds()["ids"]
    with deployed.probing(RATE) as prober:
        began = prober.seconds
        done = run(deployed, ROLLBACK)
        assert done.returncode == 0, done.stderr
        assert f"releasing {before[:7]}" in done.stdout
        figures = deployed.settle(prober, before)
    assert deployed.follow(before).stage_statuses == {"Deploy": "Succeeded"}
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {live, before}
    assert deployed.cloud.client("codebuild").list_builds()["ids"] == builds
    assert [one["is_live"] for one in listed(deployed)[:2]] == [False, True]
    took = prober.last_of(live) - began
    deployed.progress.step(
        f"a rollback took {took:.1f} s until the version before answered alone, the release of its push "
        f"{pushed:.1f} s: {took / pushed:.2f} of it; 0 of {figures.requests} requests failed"
    )


def seconds_of_push(scenario: Scenario, commit: str) -> float:
    """Return the seconds from the start of a commit's execution until it had all traffic."""
    release = scenario.releases.of(commit)
    assert release is not None
    (began,) = (
        one["startTime"].timestamp()
        for one in scenario.releases.executions()
        if one["pipelineExecutionId"] == release.execution
    )
    return dict(release.moments)["AllowTraffic"] - float(began)


def listed(scenario: Scenario) -> list[dict[str, Any]]:
    """Return the versions that `operations rollback` knows, the newest first."""
    done = run(scenario, f"{ROLLBACK} --list --json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def stop_release(scenario: Scenario, commit: str) -> Release:
    """Stop the deployment of a commit as the runbook says, and wait for its rollback; return the release."""
    release = scenario.releases.of(commit)
    assert release is not None
    assert release.deployment is not None
    stopped = run(scenario, STOP, ID=release.deployment)
    assert stopped.returncode == 0, stopped.stderr
    assert scenario.follow(commit).status == "Failed"
    assert scenario.releases.rollback(release.deployment) == "Succeeded"
    return release


def newest_deployed(scenario: Scenario) -> Release:
    """Return the newest release of a push that has a deployment: one of the commands starts an execution."""
    for execution in scenario.releases.executions():
        if execution.get("executionType") == "ROLLBACK":
            continue
        release = scenario.releases.of(execution["sourceRevisions"][0]["revisionId"])
        if release is not None and release.deployment is not None:
            return release
    raise AssertionError("no release has a deployment")


def image_digest(scenario: Scenario) -> str:
    """Return the digest of an image of the repository, which has signatures too."""
    found = scenario.cloud.client("ecr").list_images(repositoryName=scenario.outputs.image_repository_name)
    tags = {str(one.get("imageTag")): str(one["imageDigest"]) for one in found["imageIds"]}
    return next(digest for tag, digest in tags.items() if tag.startswith("commit-"))


@pytest.mark.parametrize("command", documented_commands())
def test_a_documented_command_works(deployed: Scenario, command: str) -> None:
    release = newest_deployed(deployed)
    tasks = deployed.cloud.client("ecs").list_tasks(
        cluster=deployed.outputs.cluster_name, desiredStatus="STOPPED"
    )["taskArns"]
    known = {
        "ID": release.execution if "execution-id" in command else release.deployment,
        "TASK_ARN": tasks[0],
        "TOPIC_ARN": deployed.outputs.topic_arn,
    }
    digest = command.replace("sha256:...", image_digest(deployed))
    done = run(deployed, digest, **known)
    refusal = REFUSED.get(command)
    assert (done.returncode == 0) == (refusal is None), done.stderr
    assert (refusal or "") in done.stderr


@pytest.mark.destroys
def test_destroying_it_leaves_nothing(deployed: Scenario) -> None:
    """Neither does the password of the documentation."""
    deployed.destroy()
