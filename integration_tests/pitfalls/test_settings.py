"""Pitfalls of the settings of an environment: a later deployment that is not given them."""

import json
from typing import Any

from harness.cloud import Cloud
from harness.stacks import CREATED, Stack, temporary_stack
from harness.synthesized_app import Resources, synthesized

ADDRESS = "ops@acme.org"
# As cdk.json is shipped. A subscription that nobody confirmed stays beside the next one (pitfall G3).
PLACEHOLDER = "replace-me@example.com"
GUARD, TOPIC, SUBSCRIPTION = (
    "SettingsGuardSettingsDefault",
    "PipelineNotificationsTopic",
    "AWS::SNS::Subscription",
)
UPDATED, UNDONE = "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"


def deployment(cloud: Cloud, *settings: str) -> Resources:
    """Return the settings guard, the topic and its subscription, as synthesized with these settings."""
    app = synthesized(cloud, *settings)
    subscriptions = [name for name, one in app.resources.items() if one["Type"] == SUBSCRIPTION]
    resources = app.part(GUARD, TOPIC, *subscriptions)
    # The stacks of these tests have another name.
    renamed = json.dumps(resources).replace(":stack/stack-", ":stack/pitfall-")
    return dict(json.loads(renamed))


def addresses(stack: Stack) -> list[str]:
    """Return the addresses that the topic of a stack notifies."""
    topic = (
        f"arn:aws:sns:us-east-1:{stack.cloud.account.id}:{stack.physical_name('notifications-the-suffix')}"
    )
    found = stack.cloud.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return [str(one["Endpoint"]) for one in found]


def test_a_deployment_without_a_setting_of_the_environment_is_rejected_and_changes_nothing(
    cloud: Cloud,
) -> None:
    """pitfall C11: the key is given once, and is missing from the next deployment."""
    with temporary_stack(cloud, deployment(cloud, f"notificationEmail={ADDRESS}")) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        assert stack.update({"Resources": deployment(cloud)}) == UNDONE
        assert f"this deployment would drop notificationEmail ({ADDRESS}) from" in stack.failures()
        assert addresses(stack) == [ADDRESS]
        told = deployment(cloud, "dropSettings=notificationEmail")
        assert stack.update({"Resources": told}) == UPDATED, stack.failures()
        assert PLACEHOLDER in addresses(stack)


def test_without_the_guard_a_deployment_drops_a_setting_silently(cloud: Cloud) -> None:
    """pitfall C11: CloudFormation deletes what the template no longer has, and reports success."""

    def unguarded(*settings: str) -> Resources:
        resources = deployment(cloud, *settings)
        return {name: one for name, one in resources.items() if not name.startswith("SettingsGuard")}

    with temporary_stack(cloud, without_dependencies(unguarded(f"notificationEmail={ADDRESS}"))) as stack:
        assert addresses(stack) == [ADDRESS]
        assert stack.update({"Resources": without_dependencies(unguarded())}) == UPDATED
        assert PLACEHOLDER in addresses(stack)


def test_the_rollback_of_a_deployment_may_drop_what_it_added(cloud: Cloud) -> None:
    """pitfall C11: a rollback is an update with both sets of properties reversed."""
    with temporary_stack(cloud, deployment(cloud)) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        failing: dict[str, Any] = {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/pitfall", "Type": "SecureString", "Value": "x"},
            "DependsOn": [GUARD],
        }
        added = deployment(cloud, f"notificationEmail={ADDRESS}") | {"Failing": failing}
        assert stack.update({"Resources": added}) == UNDONE, stack.failures()
        assert "SecureString" in stack.failures()
        assert "would drop" not in stack.failures()
        assert addresses(stack) == [PLACEHOLDER]


def without_dependencies(resources: Resources) -> Resources:
    """Return the resources without their dependencies on the guard."""
    return {name: {**one, "DependsOn": []} for name, one in resources.items()}
