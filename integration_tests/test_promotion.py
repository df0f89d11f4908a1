"""A release is promoted to an environment in another account, with a copy of its image."""

import json
import subprocess
from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from harness.cloud import PROJECT, Cloud
from harness.notifications import LoggedEvent, subscribed
from harness.prober import Prober
from harness.scenario import RELEASE_MINUTES, Scenario
from harness.suffixes import random_suffix
from integration_tests.attacks.people import Person, role
from integration_tests.support.github import assume_role, deploy_commands
from integration_tests.support.images import push_image
from integration_tests.support.promotion import (
    approve_promotion,
    assert_logged,
    deployment_of,
    roll_back_promotion,
    wait_for_approval,
    wait_for_state,
)
from integration_tests.support.scenario_fixtures import running_scenario
from operations.account import Account
from operations.waiting import NotYetError, wait_for

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

KEPT_IMAGES = 10
# Requests per second.
RATE = 40.0
# Of `operations rollback`.
LISTED = ("--list", "--json")
# The other way into an environment, deployed here and deleted by destroy.
GITHUB = {"githubRepository": "acme/greeter", "githubEnvironments": "staging"}


@pytest.fixture(scope="module")
def source_suffix() -> str:
    """The suffix of the environment that promotes, which the other one names before it exists."""
    return random_suffix("it")


@pytest.fixture(scope="module")
def managers(second_account: Cloud, source_suffix: str) -> Iterator[str]:
    """The role of those who approve, in the account of the environment that receives promotions."""
    with role(second_account, f"managers-{source_suffix}") as name:
        yield name


@pytest.fixture(scope="module")
def approver(second_account: Cloud, managers: str) -> Account:
    """The account as mary sees it, who approves."""
    return Person(second_account, managers, "mary").account


@pytest.fixture(scope="module")
def staging(
    cloud: Cloud, second_account: Cloud, source_suffix: str, managers: str, request: pytest.FixtureRequest
) -> Iterator[Scenario]:
    """The environment that receives promotions: it names the pipeline that releases here, and approvers."""
    # An AWS account may already have a provider for GitHub.
    provider = {} if cloud.endpoint is None else {"createGithubOidcProvider": "true"}
    source = f"{source_suffix}@{cloud.account.id}"
    accounts = {"account": second_account.account.id, "promotedFrom": source}
    accounts["approvers"] = f"arn:aws:iam::{second_account.account.id}:role/{managers}"
    with running_scenario(second_account, request, context={**accounts, **GITHUB, **provider}) as scenario:
        yield scenario


@pytest.fixture(scope="module")
def first(
    cloud: Cloud, staging: Scenario, source_suffix: str, request: pytest.FixtureRequest
) -> Iterator[Scenario]:
    """The environment that promotes."""
    target = f"{staging.environment.suffix}@{staging.cloud.account.id}"
    context = {"account": cloud.account.id, "promoteTo": target}
    with running_scenario(cloud, request, suffix=source_suffix, context=context) as scenario:
        yield scenario


def test_a_release_waits_for_its_approval_and_is_promoted_with_a_copy_of_its_image(
    first: Scenario, staging: Scenario, approver: Account
) -> None:
    staging.deploy()
    staging.wait_for_seed()
    before = staging.served_version()
    first.deploy()
    commit = first.releases.head()
    assert commit != before

    wait_for_approval(first, staging)
    assert first.served_version() == commit, "the first environment is released before the approval"
    assert staging.served_version() == before, "without an approval nothing is promoted"

    approve_promotion(first, staging, approver, commit)
    first.wait_for_release(commit)
    assert staging.served_version() == commit
    (own, digest), (copy, copied) = (_image(each).split("@") for each in (first, staging))
    assert copied == digest
    assert (own, copy) == (first.outputs.image_repository_uri, staging.outputs.image_repository_uri)


def test_eleven_later_images_do_not_expire_the_one_that_runs(first: Scenario, staging: Scenario) -> None:
    """pitfall F13: neither the promoted copy, nor the image of the first environment, nor a signature."""
    for scenario in (first, staging):
        digest = _image(scenario).partition("@")[2]
        repository = scenario.outputs.image_repository_name
        later = [push_image(scenario.cloud, repository, f"commit-later-{number}") for number in range(11)]
        tags = _tags(scenario)
        in_use = {each for each, names in tags.items() if any(name.startswith("in-use-") for name in names)}
        assert digest in in_use & _signed(tags)
        if scenario.cloud.endpoint is not None:  # AWS expires images within 24 hours.
            assert tags.keys() - _attached(tags) == in_use | set(later[-KEPT_IMAGES:])
        _replace_a_task(scenario)
        assert _image(scenario).partition("@")[2] == digest


def test_a_push_reaches_the_first_environment_while_an_approval_waits(
    first: Scenario, staging: Scenario, approver: Account
) -> None:
    """pitfall M6: a release keeps its approval; of those behind it, the newest is left."""
    promoted, developer = staging.served_version(), first.developer()
    commits = []
    for number in range(3):
        (developer.clone / "NOTES.md").write_text(f"Release {number}.\n")
        commits.append(developer.commit(f"Release {number}"))
        developer.push()
        wait_for_state(first, commits[-1], "Deploy=Succeeded")
        assert first.served_version() == commits[-1]
        wait_for_approval(first, staging)
    oldest, middle, newest = commits
    wait_for_state(first, middle, "Superseded")
    assert staging.served_version() == promoted

    for commit in (oldest, newest):
        approve_promotion(first, staging, approver, commit)
        assert first.follow(commit).status == "Succeeded"
        assert staging.served_version() == commit


def test_a_promoted_environment_goes_back_without_a_build(
    first: Scenario, staging: Scenario, approver: Account
) -> None:
    """One command, and the approval that each release needs; no request fails."""
    newer, older = (one["commit"] for one in json.loads(roll_back_promotion(first, staging, *LISTED))[:2])
    assert staging.served_version() == newer
    own = first.served_version()
    with (
        staging.probing(RATE) as prober,
        subscribed(first.cloud, first.outputs.topic_arn) as asked,
        subscribed(staging.cloud, staging.outputs.topic_arn) as failures,
    ):
        began = prober.seconds
        assert f"releasing {older[:7]}" in roll_back_promotion(first, staging)
        asked.wait_for(f"Release commit {older} to {staging.environment.suffix}")
        assert set(prober.figures().versions) == {newer}, "without an approval nothing goes back"
        approve_promotion(first, staging, approver, older)
        assert first.follow(older).status == "Succeeded"
        _assert_back(staging, prober, older, newer, began)
        failures.receive()
    assert first.served_version() == own
    assert failures.messages == []
    _assert_told(first, staging, older)


def test_only_the_pipeline_may_assume_the_cross_account_role(first: Scenario, staging: Scenario) -> None:
    """Not even the owner of the first account may."""
    name = f"cross-account-role-{staging.environment.suffix}"
    role = f"arn:aws:iam::{staging.cloud.account.id}:role/{name}"
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        first.cloud.client("sts").assume_role(RoleArn=role, RoleSessionName="by-hand")


def test_the_role_of_a_github_job_may_run_the_commands_of_the_workflow(staging: Scenario) -> None:
    """It checks before and after a deployment that changes nothing."""
    if staging.cloud.endpoint is None:
        pytest.skip("on AWS, only GitHub creates its tokens")
    environment = staging.environment
    role = f"github-role-{environment.suffix}"
    keys = assume_role(staging.cloud, role, "repo:acme/greeter:environment:staging")["Credentials"]
    credentials = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    settings = {"environmentSuffix": environment.suffix, **environment.context}
    context = [word for pair in settings.items() for word in ("-c", "=".join(pair))]
    ran = []
    for command in deploy_commands(environment.suffix, context, environment.folder / "job"):
        done = subprocess.run(  # noqa: S603 - the commands of our own workflow
            command,
            cwd=PROJECT,
            env={**staging.cloud.environment, **credentials},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        ran.append(command[1:4])
    assert [words[0] for words in ran] == ["synth", "-m", "deploy", "-m"]
    assert [words[2] for words in ran if words[0] == "-m"] == ["immutable", "drift"]


@pytest.mark.destroys
def test_destroying_both_leaves_nothing(first: Scenario, staging: Scenario) -> None:
    first.destroy()
    staging.destroy()


def _assert_back(staging: Scenario, prober: Prober, older: str, newer: str, began: float) -> None:
    """Assert that the older version alone answers, and that no request has failed."""
    figures = staging.settle(prober, older)
    assert figures.failures == 0, prober.failures[:3]
    assert set(figures.versions) == {newer, older}
    staging.progress.step(
        f"back in {prober.last_of(newer) - began:.1f} s from the command to the last answer of the newer "
        f"version, the approval included; 0 of {figures.requests} requests failed"
    )


def _assert_told(first: Scenario, staging: Scenario, older: str) -> None:
    """Assert that both event logs have the rollback, and that the command lists it."""
    release, stage = first.releases.of(older), f"Promote-{staging.environment.suffix}"
    assert release is not None
    runs = first.releases.actions(release.execution)
    assert {run["stageName"] for run in runs} == {stage}, "it builds nothing"
    assert_logged(first, LoggedEvent("Stage", "SUCCEEDED", stage, release.execution))
    assert_logged(staging, LoggedEvent("Deployment", "SUCCESS", run=deployment_of(runs)))
    listed = json.loads(roll_back_promotion(first, staging, *LISTED))[:2]
    assert [(one["commit"], one["is_live"]) for one in listed][1] == (older, True)


def _tags(scenario: Scenario) -> dict[str, set[str]]:
    """Return the tags of each image of the repository, by digest."""
    repository, found = scenario.outputs.image_repository_name, dict[str, set[str]]()
    for image in scenario.cloud.account.pages("ecr", "list_images", "imageIds", repositoryName=repository):
        found.setdefault(image["imageDigest"], set()).add(image["imageTag"])
    return found


def _attached(tags: dict[str, set[str]]) -> set[str]:
    """Return the digests of the signatures and of the provenance."""
    return {each for each, names in tags.items() if any(name.startswith("sha256-") for name in names)}


def _signed(tags: dict[str, set[str]]) -> set[str]:
    """Return the digests of the images with a signature."""
    found = set().union(*tags.values())
    return {each for each in tags if f"{each.replace(':', '-')}.sig" in found}


def _replace_a_task(scenario: Scenario) -> None:
    """Stop a task of the service, and wait until another one runs in its place."""
    ecs, outputs = scenario.cloud.client("ecs"), scenario.outputs
    running = {
        "cluster": outputs.cluster_name,
        "serviceName": outputs.service_name,
        "desiredStatus": "RUNNING",
    }
    before = set(ecs.list_tasks(**running)["taskArns"])
    stopped = sorted(before)[0]
    ecs.stop_task(cluster=outputs.cluster_name, task=stopped, reason="a test replaces it")

    def look() -> None:
        found = set(ecs.list_tasks(**running)["taskArns"])
        tasks = (
            ecs.describe_tasks(cluster=outputs.cluster_name, tasks=sorted(found))["tasks"] if found else []
        )
        states = [task["lastStatus"] for task in tasks]
        if stopped in found or len(found) < len(before) or set(states) != {"RUNNING"}:
            raise NotYetError(f"{len(found)} of {len(before)} tasks: {states}")

    wait_for(
        "the replaced task",
        look,
        deadline=scenario.cloud.minutes(RELEASE_MINUTES),
        interval=scenario.cloud.interval(0.5),
    )


def _image(scenario: Scenario) -> str:
    """Return the image of the PRIMARY task set, with its digest."""
    ecs = scenario.cloud.client("ecs")
    service = ecs.describe_services(
        cluster=scenario.outputs.cluster_name, services=[scenario.outputs.service_name]
    )
    (primary,) = [one for one in service["services"][0]["taskSets"] if one["status"] == "PRIMARY"]
    task = ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])["taskDefinition"]
    image = str(task["containerDefinitions"][0]["image"])
    assert "@sha256:" in image
    return image
