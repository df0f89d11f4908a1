"""Each stack event has the id of its operation."""

from unit_tests.local_aws.cloudformation_cloud import Cloud, template

TOPIC = {"Type": "AWS::SNS::Topic"}


def test_the_events_of_each_operation_have_an_id_of_their_own_and_a_rollback_too(cloud: Cloud) -> None:
    """The CDK CLI stops reading at the first event of another operation."""
    name = "operations"
    assert cloud.create(name, template(T=TOPIC)) == "CREATE_COMPLETE"
    failing = template(T={**TOPIC, "DisplayName": "x"}, U={**TOPIC, "DisplayNaem": "x"})
    assert cloud.update(name, failing) == "UPDATE_ROLLBACK_COMPLETE"
    found = cloud.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    statuses: dict[str, set[str]] = {}
    for event in found:
        statuses.setdefault(event["OperationId"], set()).add(event["ResourceStatus"])
    rollback, update, creation = statuses.values()
    assert "UPDATE_ROLLBACK_COMPLETE" in rollback
    assert {"UPDATE_IN_PROGRESS", "UPDATE_FAILED"} <= update
    assert "UPDATE_ROLLBACK_IN_PROGRESS" not in update
    assert creation == {"CREATE_IN_PROGRESS", "CREATE_COMPLETE"}
