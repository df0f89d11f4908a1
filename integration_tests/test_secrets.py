"""A service with a secret: missing, set, changed and deleted, and what its tasks and releases do then.

The tests share one environment and run in file order.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from harness.cloud import PROJECT, Cloud
from harness.developer import GREETING
from harness.scenario import Scenario
from integration_tests.support.scenario_fixtures import running_scenario
from operations import stored_variables
from operations.names import Names
from operations.waiting import NotYetError, wait_for
from operations.why import explain
from operations.why.cause import Cause
from operations.why.deployment import problem_in_progress

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

VALUES = ("first value", "second value")
# What is greeted with is a digest of the secret: which of the two the answering task has.
GREET = """import hashlib, os
GREETING = hashlib.sha256(os.environ.get("API_KEY", "").encode()).hexdigest()
"""
RATE = 40.0


@pytest.fixture(scope="module")
def declaring(cloud: Cloud, request: pytest.FixtureRequest) -> Iterator[Scenario]:
    """The scenario of a service that declares a secret."""
    context = {"services": json.dumps({"sample-service": {"secrets": ["API_KEY"]}})}
    with running_scenario(cloud, request, context=context) as scenario:
        yield scenario


def set_secret(scenario: Scenario, value: str) -> str:
    """Run `operations secrets set` as a person; return what it prints."""
    command = [sys.executable, "-m", "operations", "secrets", "set", scenario.environment.suffix, "API_KEY"]
    done = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd=PROJECT,
        env=scenario.cloud.environment,
        input=value,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def greeting(scenario: Scenario) -> str:
    """Send one request; return the greeting."""
    answer = requests.get(scenario.cloud.resolve(scenario.outputs.service_url), timeout=10)
    return str(answer.json()["message"])


def digest(value: str) -> str:
    """Return what a task with this secret greets with."""
    return hashlib.sha256(value.encode()).hexdigest()


def release_again(scenario: Scenario, commit: str) -> None:
    """Start the pipeline, and wait for the release of the commit by that execution."""
    pipeline = scenario.cloud.client("codepipeline")
    started = pipeline.start_pipeline_execution(name=scenario.outputs.pipeline_name)["pipelineExecutionId"]

    def look() -> None:
        found = scenario.releases.of(commit)
        if found is None or found.execution != started:
            raise NotYetError(f"{started} has no source yet")

    wait_for("the source of the execution", look, deadline=scenario.cloud.minutes(10, own=1))
    scenario.wait_for_release(commit)


def parameter(scenario: Scenario) -> str:
    """Return the name of the parameter."""
    return Names(scenario.environment.suffix).stored_variable("API_KEY")


def test_a_missing_secret_stops_the_release_in_build_with_the_command_that_sets_it(
    declaring: Scenario,
) -> None:
    """Not in Deploy after an hour (pitfall E3)."""
    declaring.deploy()
    suffix = declaring.environment.suffix
    release = declaring.follow(declaring.releases.head())
    assert release.status == "Failed"
    assert not release.deployment
    explanation = explain(suffix, declaring.cloud.account, release.execution)
    assert explanation.cause is not None
    assert explanation.cause.gate == "Find the secrets of the service"
    assert f"invalid ssm parameters: {parameter(declaring)}" in explanation.cause.reason
    assert f"python -m operations secrets set {suffix} API_KEY" in explanation.cause.reason
    (variable,) = stored_variables.read(suffix, declaring.cloud.account)
    assert variable.problem == "missing"


def test_once_it_is_set_the_stage_is_retried_and_the_tasks_have_it(declaring: Scenario) -> None:
    said = set_secret(declaring, VALUES[0])
    assert VALUES[0] not in said
    seed = declaring.releases.of(declaring.releases.head())
    assert seed is not None
    declaring.cloud.client("codepipeline").retry_stage_execution(
        pipelineName=declaring.outputs.pipeline_name,
        stageName="Build",
        pipelineExecutionId=seed.execution,
        retryMode="FAILED_ACTIONS",
    )
    declaring.wait_for_seed()
    developer = declaring.developer()
    (developer.clone / GREETING).write_text(GREET)
    declaring.push(developer, developer.commit("Greet with a digest of the secret"))
    assert greeting(declaring) == digest(VALUES[0])


def test_a_release_of_the_same_commit_gives_all_tasks_another_value_and_fails_no_request(
    declaring: Scenario,
) -> None:
    set_secret(declaring, VALUES[1])
    commit = declaring.releases.head()
    assert greeting(declaring) == digest(VALUES[0]), "running tasks keep the value that they started with"
    with declaring.probing(RATE) as prober:
        release_again(declaring, commit)
        figures = declaring.settle(prober, commit)
    assert figures.failures == 0, prober.failures[:3]
    assert greeting(declaring) == digest(VALUES[1])


def test_without_the_secret_ecs_starts_no_task_and_the_old_ones_answer(declaring: Scenario) -> None:
    suffix, names = declaring.environment.suffix, Names(declaring.environment.suffix)
    commit = declaring.releases.head()
    codedeploy, ecs = declaring.cloud.client("codedeploy"), declaring.cloud.client("ecs")
    (service,) = ecs.describe_services(cluster=names.cluster, services=[names.service])["services"]
    (primary,) = (one for one in service["taskSets"] if one["status"] == "PRIMARY")
    properties = {
        "TaskDefinition": primary["taskDefinition"],
        "LoadBalancerInfo": {"ContainerName": "app", "ContainerPort": 8080},
    }
    target = {"TargetService": {"Type": "AWS::ECS::Service", "Properties": properties}}
    hooks = [{"AfterAllowTestTraffic": names.traffic_hook}]
    content = {"content": json.dumps({"version": 0.0, "Resources": [target], "Hooks": hooks})}
    revision = {"revisionType": "AppSpecContent", "appSpecContent": content}
    declaring.cloud.client("ssm").delete_parameter(Name=parameter(declaring))
    deployment = codedeploy.create_deployment(
        applicationName=names.application, deploymentGroupName=names.deployment_group, revision=revision
    )["deploymentId"]

    def look() -> Cause:
        cause = problem_in_progress(declaring.cloud.account, names, deployment)
        if cause is None:
            raise NotYetError("no task has stopped")
        return cause

    cause = wait_for("a task that cannot start", look, deadline=declaring.cloud.minutes(10, own=2))
    assert "ResourceInitializationError: unable to pull secrets or registry auth" in cause.reason
    assert f"invalid ssm parameters: {parameter(declaring)}" in cause.reason
    assert cause.remedy.startswith(f"run `python -m operations secrets set {suffix} API_KEY`")
    assert declaring.served_version() == commit
    codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)


@pytest.mark.destroys
def test_destroy_deletes_the_secret(declaring: Scenario) -> None:
    set_secret(declaring, VALUES[0])
    declaring.destroy()
    found = declaring.cloud.client("ssm").get_parameters(Names=[parameter(declaring)])
    assert found["InvalidParameters"] == [parameter(declaring)]
