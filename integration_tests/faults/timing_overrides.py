"""Overrides of how long a canary, a health check's grace period or a build may take."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from math import ceil

from harness.scenario import Scenario

# Long enough for a person or an alarm to stop the canary; no test waits for its end.
HOUR_MINUTES = 60
POLICY = "canaries-of-scenarios"
# CodeBuild's minimum.
TIMEOUT_MINUTES = 5


class Canaries:
    """Creates deployment configurations with canaries of a given length; `clean_up` deletes them."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._made: set[str] = set()
        stages = scenario.cloud.client("codepipeline").get_pipeline(name=scenario.outputs.pipeline_name)
        (deploy,) = next(one for one in stages["pipeline"]["stages"] if one["name"] == "Deploy")["actions"]
        self._role = deploy["roleArn"].rpartition("/")[2]

    @contextmanager
    def lasting(self, minutes: int) -> Iterator[None]:
        """Give new deployments a canary of 10 percent for `minutes` of AWS's time."""
        codedeploy, outputs = self.scenario.cloud.client("codedeploy"), self.scenario.outputs
        group = {
            "applicationName": outputs.application_name,
            "currentDeploymentGroupName": outputs.deployment_group_name,
        }
        before = codedeploy.get_deployment_group(
            applicationName=outputs.application_name, deploymentGroupName=outputs.deployment_group_name
        )["deploymentGroupInfo"]["deploymentConfigName"]
        codedeploy.update_deployment_group(**group, deploymentConfigName=self._make(minutes))
        try:
            yield
        finally:
            codedeploy.update_deployment_group(**group, deploymentConfigName=before)

    def minutes_of_a_build(self) -> int:
        """Return how many of AWS's minutes a build takes, so that a canary outlasts the next build."""
        return ceil(last_build(self.scenario).total_seconds() / 60 / self.scenario.cloud.time_scale)

    def clean_up(self) -> None:
        """Delete the configurations and the policy, which would keep the role from being deleted."""
        if not self._made:
            return
        self.scenario.cloud.client("iam").delete_role_policy(RoleName=self._role, PolicyName=POLICY)
        for name in self._made:
            self.scenario.cloud.client("codedeploy").delete_deployment_config(deploymentConfigName=name)

    def _make(self, minutes: int) -> str:
        suffix = self.scenario.environment.suffix
        name = f"canary-{minutes}-{suffix}"
        if not self._made:
            self._allow_the_pipeline_to_read(f"canary-*-{suffix}")
        if name not in self._made:
            canary = {"canaryPercentage": 10, "canaryInterval": minutes}
            self.scenario.cloud.client("codedeploy").create_deployment_config(
                deploymentConfigName=name,
                computePlatform="ECS",
                trafficRoutingConfig={"type": "TimeBasedCanary", "timeBasedCanary": canary},
            )
            self._made.add(name)
        return name

    def _allow_the_pipeline_to_read(self, names: str) -> None:
        # The action's role reads the deployment's configuration: the template allows one (pitfall D5).
        account = self.scenario.cloud.account
        statement = {
            "Effect": "Allow",
            "Action": "codedeploy:GetDeploymentConfig",
            "Resource": f"arn:aws:codedeploy:{account.region}:{account.id}:deploymentconfig:{names}",
        }
        self.scenario.cloud.client("iam").put_role_policy(
            RoleName=self._role,
            PolicyName=POLICY,
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )


@contextmanager
def grace_period(scenario: Scenario, seconds: int) -> Iterator[None]:
    """Set the service's health check grace period to `seconds` of AWS's time."""
    ecs, outputs = scenario.cloud.client("ecs"), scenario.outputs
    names = {"cluster": outputs.cluster_name, "service": outputs.service_name}
    (service,) = ecs.describe_services(cluster=names["cluster"], services=[names["service"]])["services"]
    ecs.update_service(**names, healthCheckGracePeriodSeconds=seconds)
    try:
        yield
    finally:
        before = service["healthCheckGracePeriodSeconds"]
        ecs.update_service(**names, healthCheckGracePeriodSeconds=before)


@contextmanager
def shortest_timeout(scenario: Scenario) -> Iterator[None]:
    """Set the build project's timeout to CodeBuild's minimum.

    On local_aws, it lasts twice as long as the last successful build.
    """
    client, name = scenario.cloud.client("codebuild"), scenario.outputs.test_project_name
    (before,) = client.batch_get_projects(names=[name])["projects"]
    environment = before["environment"]
    changed = dict(environment)
    if scenario.cloud.endpoint:
        scale = min(1.0, 2 * last_build(scenario) / timedelta(minutes=TIMEOUT_MINUTES))
        variable = {"name": "LOCAL_AWS_TIMEOUT_SCALE", "value": f"{scale:.3f}", "type": "PLAINTEXT"}
        changed["environmentVariables"] = [*environment["environmentVariables"], variable]
    client.update_project(name=name, timeoutInMinutes=TIMEOUT_MINUTES, environment=changed)
    try:
        yield
    finally:
        minutes = before["timeoutInMinutes"]
        client.update_project(name=name, timeoutInMinutes=minutes, environment=environment)


def last_build(scenario: Scenario) -> timedelta:
    """Return how long the newest successful build took on this machine."""
    client = scenario.cloud.client("codebuild")
    ids = client.list_builds_for_project(projectName=scenario.outputs.test_project_name)["ids"]
    builds = client.batch_get_builds(ids=ids)["builds"]
    newest = max(
        (one for one in builds if one["buildStatus"] == "SUCCEEDED"), key=lambda one: one["startTime"]
    )
    took: timedelta = newest["endTime"] - newest["startTime"]
    return took
