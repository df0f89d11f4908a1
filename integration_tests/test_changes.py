"""Changes of the infrastructure between releases move no traffic (pitfalls C1, C5).

The tests share one environment and run in file order: each deployment has the settings of the one before.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.assembly import Edit
from harness.cloud import HarnessError
from harness.scenario import Scenario
from operations import immutable

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.slow]

# Requests per second.
RATE = 40.0
# Settings that may change after a release: no service, listener or target group depends on them.
FIRST = {"notificationEmail": "first@team.invalid", "terminationWaitMinutes": "6"}
SECOND = {
    "notificationEmail": "second@team.invalid",
    "testTrafficCidr": "203.0.113.0/24",
    "taskMemory": "1024",
}
NOTHING_CHANGED = "CloudFormation changed nothing, so this proves nothing"

# Changes that a commit to the app could make, but no context key.
EDITS: dict[str, Edit] = {
    "AWS::CloudWatch::Alarm": lambda alarm: alarm.update(AlarmDescription="Changed by a scenario"),
    "AWS::CloudWatch::Dashboard": lambda dashboard: dashboard.update(DashboardBody='{"widgets": []}'),
    "AWS::SNS::Topic": lambda topic: topic["Tags"].append({"Key": "team", "Value": "a scenario"}),
}


@contextmanager
def unchanged_traffic(scenario: Scenario) -> Iterator[None]:
    """Assert that traffic does not change and no request fails while the context is open."""
    version, traffic = scenario.served_version(), scenario.traffic()
    with scenario.probing(RATE) as prober:
        yield
        figures = prober.figures()
    assert set(figures.versions) == {version}
    assert figures.failures == 0, prober.failures[:3]
    assert scenario.traffic() == traffic


def assert_changes_move_no_traffic(scenario: Scenario, settings: dict[str, str]) -> None:
    """Deploy changed settings, then edited templates."""
    with unchanged_traffic(scenario):
        assert scenario.deploy(**settings), NOTHING_CHANGED
        assert scenario.deploy_edited(EDITS, **settings), NOTHING_CHANGED
    cloudwatch, suffix = scenario.cloud.client("cloudwatch"), scenario.environment.suffix
    (alarm,) = cloudwatch.describe_alarms(AlarmNames=[f"errors-blue-{suffix}"])["MetricAlarms"]
    assert alarm["AlarmDescription"] == "Changed by a scenario"
    body = cloudwatch.get_dashboard(DashboardName=f"dashboard-{suffix}")["DashboardBody"]
    assert json.loads(body) == {"widgets": []}
    tags = scenario.cloud.client("sns").list_tags_for_resource(ResourceArn=scenario.outputs.topic_arn)["Tags"]
    assert {"Key": "team", "Value": "a scenario"} in tags


def reasons(scenario: Scenario) -> str:
    """Return the status reasons of the nested stacks' events: the root has none of them (pitfall K6)."""
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
    assert_changes_move_no_traffic(deployed, FIRST)


def address(scenario: Scenario) -> str:
    """Return the e-mail address of the deployed template; SNS lists those before it too (pitfall G3)."""
    pages, root = scenario.cloud.account.pages, f"stack-{scenario.environment.suffix}"
    resources = pages("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=root)
    (nested,) = [one for one in resources if one["LogicalResourceId"].startswith("PipelineNestedStack")]
    cloudformation = scenario.cloud.client("cloudformation")
    body = cloudformation.get_template(StackName=nested["PhysicalResourceId"])["TemplateBody"]
    template = json.loads(body) if isinstance(body, str) else body
    (subscription,) = [
        one for one in template["Resources"].values() if one["Type"] == "AWS::SNS::Subscription"
    ]
    return str(subscription["Properties"]["Endpoint"])


def test_a_deployment_without_a_setting_is_rejected_and_changes_nothing(deployed: Scenario) -> None:
    """A key that was given once by -c is missing from the next deployment (pitfall C11)."""
    environment, account = deployed.environment, deployed.cloud.account
    words = f"notificationEmail ({FIRST['notificationEmail']})"
    with unchanged_traffic(deployed):
        (dropped,) = immutable.find(environment.suffix, account, environment.synthesize())
        assert str(dropped).startswith(f"{words} would be dropped")
        with pytest.raises(HarnessError, match=re.escape(f"this deployment would drop {words}")):
            deployed.deploy()
    assert address(deployed) == FIRST["notificationEmail"]


def test_a_change_after_two_releases_moves_no_traffic(deployed: Scenario) -> None:
    """CloudFormation cannot update the service (pitfall C1), so the template must not change it."""
    developer = deployed.developer()
    deployed.push(developer, developer.greet("Hello after a change"))
    assert_changes_move_no_traffic(deployed, SECOND)


def test_a_change_of_an_immutable_setting_is_rejected_before_the_deployment(deployed: Scenario) -> None:
    """The check prints the remedy; AWS would fail the update midway (pitfall C1)."""
    environment, account = deployed.environment, deployed.cloud.account
    more_tasks = {**SECOND, "desiredCount": "3"}
    with unchanged_traffic(deployed):
        assert immutable.find(environment.suffix, account, environment.synthesize(**SECOND)) == []
        (change,) = immutable.find(environment.suffix, account, environment.synthesize(**more_tasks))
        assert "DesiredCount would change from 2 to 3" in str(change)
        assert f"--service service-{environment.suffix} --desired-count 3" in str(change)
        with pytest.raises(HarnessError, match="failed to deploy") as failure:
            deployed.deploy(**more_tasks)
        assert "would drop" not in str(failure.value), "the CLI reports an earlier deployment"
        assert "CODE_DEPLOY deployment controller" in reasons(deployed)


def test_a_setting_that_a_deployment_may_drop_is_dropped(deployed: Scenario) -> None:
    """pitfall C11"""
    told = {"dropSettings": "notificationEmail,testTrafficCidr"}
    environment, account = deployed.environment, deployed.cloud.account
    assert address(deployed) == SECOND["notificationEmail"]
    with unchanged_traffic(deployed):
        assert immutable.find(environment.suffix, account, environment.synthesize(**told)) == []
        assert deployed.deploy(**told)
    assert address(deployed) == "replace-me@example.com", "as cdk.json has it"
