"""The infrastructure changes between releases, and the traffic stays where it is (pitfalls C1, C5)."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.assembly import Edit
from harness.cloud import HarnessError
from harness.scenario import Scenario
from operations import immutable

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# Requests a second.
RATE = 40.0
# What may change after a release: no property of the service, a listener or a target group has any of it.
FIRST = {"notificationEmail": "first@example.com", "terminationWaitMinutes": "6"}
SECOND = {
    "notificationEmail": "second@example.com",
    "testTrafficCidr": "203.0.113.0/24",
    "taskMemory": "1024",
}


# What somebody's next commit to the app may change: no key of the context does.
EDITS: dict[str, Edit] = {
    "AWS::CloudWatch::Alarm": lambda alarm: alarm.update(AlarmDescription="Changed by a scenario"),
    "AWS::CloudWatch::Dashboard": lambda dashboard: dashboard.update(DashboardBody='{"widgets": []}'),
    "AWS::SNS::Topic": lambda topic: topic["Tags"].append({"Key": "team", "Value": "a scenario"}),
}


@contextmanager
def unmoved(scenario: Scenario) -> Iterator[None]:
    """Ask for the service all the while: nobody may notice."""
    version, traffic = scenario.served_version(), scenario.traffic()
    with scenario.probing(RATE) as prober:
        yield
        figures = prober.figures()
    assert set(figures.versions) == {version}
    assert figures.failures == 0, prober.failures[:3]
    assert scenario.traffic() == traffic


def stays(scenario: Scenario, settings: dict[str, str]) -> None:
    """Deploy a change of settings, and one of the templates."""
    with unmoved(scenario):
        assert scenario.deploy(**settings), "CloudFormation had nothing to change, so nothing was shown"
        assert scenario.deploy_edited(EDITS), "CloudFormation had nothing to change, so nothing was shown"
    cloudwatch, suffix = scenario.cloud.client("cloudwatch"), scenario.environment.suffix
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"errors-blue-{suffix}"])["MetricAlarms"]
    assert alarm["AlarmDescription"] == "Changed by a scenario"
    body = cloudwatch.get_dashboard(DashboardName=f"dashboard-{suffix}")["DashboardBody"]
    assert json.loads(body) == {"widgets": []}
    tags = scenario.cloud.client("sns").list_tags_for_resource(ResourceArn=scenario.outputs.topic_arn)["Tags"]
    assert {"Key": "team", "Value": "a scenario"} in tags


def reasons(scenario: Scenario) -> str:
    """Return what the nested stacks say of their changes; the root only names who failed (pitfall K6)."""
    pages, root = scenario.cloud.account.pages, f"stack-{scenario.environment.suffix}"
    resources = pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=root)
    nested = [one for one in resources if one["ResourceType"] == "AWS::CloudFormation::Stack"]
    return "\n".join(
        event.get("ResourceStatusReason", "")
        for one in nested
        for event in pages(
            "cloudformation", "describe_stack_events", "StackEvents", StackName=one["PhysicalResourceId"]
        )
    )


def test_a_change_after_one_release_moves_no_traffic(deployed: Scenario) -> None:
    """After an odd number of releases the template names the idle group (pitfall C5)."""
    stays(deployed, FIRST)


def test_a_change_after_two_releases_moves_no_traffic(deployed: Scenario) -> None:
    """The service cannot be updated with what CloudFormation sends (pitfall C1): it must not be touched."""
    developer = deployed.developer()
    deployed.push(developer, developer.greet("Hello after a change"))
    stays(deployed, SECOND)


def test_a_change_of_what_is_frozen_is_refused_before_aws_is_asked(deployed: Scenario) -> None:
    """The check names the way out, and AWS would have refused half way (pitfall C1)."""
    environment, account = deployed.environment, deployed.cloud.account
    with unmoved(deployed):
        assert immutable.find(environment.suffix, account, environment.synthesize()) == []
        (change,) = immutable.find(environment.suffix, account, environment.synthesize(desiredCount="3"))
        assert "DesiredCount would change from 2 to 3" in str(change)
        assert f"--service service-{environment.suffix} --desired-count 3" in str(change)
        with pytest.raises(HarnessError, match="failed to deploy"):
            deployed.deploy(desiredCount="3")
        assert "CODE_DEPLOY deployment controller" in reasons(deployed)
