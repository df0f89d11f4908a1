"""What the documents tell a person to type, typed: where an environment is up, and into a shift.

The tests share one environment and run in the order in which they stand.
"""

import re
import shlex
import subprocess

import pytest

from harness.cloud import PROJECT
from harness.developer import Developer
from harness.release import STAGES
from harness.scenario import Scenario
from integration_tests.support.markdown_commands import commands, spans

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# Requests a second.
RATE = 40.0
PAGES = ("README.md", "docs/operations.md", "docs/access.md")
STOP = "aws deploy stop-deployment --deployment-id ID --auto-rollback-enabled"
RETRY = (
    "aws codepipeline retry-stage-execution --pipeline-name pipeline-dev --stage-name Deploy "
    "--pipeline-execution-id ID --retry-mode FAILED_ACTIONS"
)
# What is refused where nothing failed: the refusal is about that, so all else of the command was right.
REFUSED = {RETRY.replace("Deploy", "Source"): "StageNotRetryableException"}
# What is played elsewhere, or cannot be played here.
ELSEWHERE = {
    STOP: "a test of its own, below",
    RETRY: "a test of its own, below",
    "aws codecommit credential-helper": "each scenario's git calls it (developer.py)",
    "aws service-quotas request-service-quota-increase": "it asks AWS's people for something",
    "aws codepipeline put-approval-result": "test_promotion.py",
    "aws iam create-open-id-connect-provider": "an account has one; test_promotion.py deploys it",
    "python -m operations destroy dev": "each scenario ends with it",
    "python -m operations leftovers dev": "each scenario ends with it",
    "python -m operations immutable dev": "test_changes.py; it reads what `make synth` wrote",
}


def typed() -> list[str]:
    """Return what the pages tell to type about an environment, in their order."""
    found = [
        command
        for page in PAGES
        for look in (commands, spans)
        for command in look((PROJECT / page).read_text("utf-8"))
    ]
    ours = [one for one in found if re.match(r"aws [a-z-]+ [a-z-]+ --|python -m operations ", one)]
    return [one for one in dict.fromkeys(ours) if not one.startswith(tuple(ELSEWHERE))]


def run(scenario: Scenario, command: str, **known: str) -> subprocess.CompletedProcess[str]:
    """Run a command of a page: `dev` stands for the suffix, a word in capitals for what is `known`."""
    for word, value in known.items():
        command = re.sub(rf"\b{word}\b", value, command)
    command = re.sub(r"\bdev\b", scenario.environment.suffix, command).replace('"$(cat)"', "not-a-password")
    return subprocess.run(  # noqa: S603 - our own CLIs, and what our own pages say
        shlex.split(command),
        cwd=PROJECT,
        env=scenario.cloud.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_release_is_stopped_and_its_stage_retried(deployed: Scenario, developer: Developer) -> None:
    """Nobody who asks notices, neither of the stop in the canary nor of the second try."""
    old = deployed.served_version()
    with deployed.probing(RATE) as prober:
        commit = developer.greet("Hello, not yet")
        developer.push()
        deployed.wait_until_probed(prober, commit)
        shifting = deployed.releases.of(commit)
        assert shifting is not None
        assert shifting.deployment is not None
        stopped = run(deployed, STOP, ID=shifting.deployment)
        assert stopped.returncode == 0, stopped.stderr
        assert deployed.follow(commit).status == "Failed"
        assert deployed.releases.rollback(shifting.deployment) == "Succeeded"
        deployed.settle(prober, old)

        retried = run(deployed, RETRY, ID=shifting.execution)
        assert retried.returncode == 0, retried.stderr
        release = deployed.follow(commit)
        figures = deployed.settle(prober, commit)
    assert release.stage_statuses == dict.fromkeys(STAGES, "Succeeded")
    assert release.execution == shifting.execution, "the same execution, so the same image"
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {old, commit}


@pytest.mark.parametrize("command", typed())
def test_a_command_of_the_documents_answers(deployed: Scenario, command: str) -> None:
    (newest, *_) = deployed.releases.executions()
    release = deployed.releases.of(newest["sourceRevisions"][0]["revisionId"])
    assert release is not None
    assert release.deployment is not None
    tasks = deployed.cloud.client("ecs").list_tasks(
        cluster=deployed.outputs.cluster_name, desiredStatus="STOPPED"
    )["taskArns"]
    known = {
        "ID": release.execution if "execution-id" in command else release.deployment,
        "TASK_ARN": tasks[0],
        "TOPIC_ARN": deployed.outputs.topic_arn,
    }
    done = run(deployed, command, **known)
    refusal = REFUSED.get(command)
    assert (done.returncode == 0) == (refusal is None), done.stderr
    assert (refusal or "") in done.stderr


def test_destroying_it_leaves_nothing(deployed: Scenario) -> None:
    """The password that somebody typed is gone too."""
    deployed.destroy()
