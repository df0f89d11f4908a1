"""The resources of SNS, SQS, EventBridge, CloudWatch and CloudWatch Logs."""

from collections.abc import Callable, Iterator, Mapping

from operations.account import Account
from operations.ownership import Resource, normalize_tags


def topics(account: Account) -> Iterator[Resource]:
    """Yield the topics."""
    for found in account.pages("sns", "list_topics", "Topics"):
        arn = found["TopicArn"]
        tags = account.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
        yield Resource("SNS topic", arn.rpartition(":")[2], normalize_tags(tags))


def subscriptions(account: Account) -> Iterator[Resource]:
    """Yield the subscriptions; AWS deletes one that is never confirmed (pitfall G3)."""
    for found in account.pages("sns", "list_subscriptions", "Subscriptions"):
        pending = found["SubscriptionArn"] == "PendingConfirmation"
        topic = found["TopicArn"].rpartition(":")[2]
        note = "not confirmed, AWS deletes it" if pending else ""
        yield Resource(
            "SNS subscription",
            f"{topic} -> {found['Endpoint']}",
            parents=(topic,),
            note=note,
            remains=not pending,
        )


def queues(account: Account) -> Iterator[Resource]:
    """Yield the queues; an interrupted scenario leaves the one that it subscribed to the topic."""
    for url in account.pages("sqs", "list_queues", "QueueUrls"):
        tags = account.client("sqs").list_queue_tags(QueueUrl=url).get("Tags")
        yield Resource("SQS queue", url.rpartition("/")[2], normalize_tags(tags))


def rules(account: Account) -> Iterator[Resource]:
    """Yield the EventBridge rules of the default bus."""
    for rule in account.pages("events", "list_rules", "Rules"):
        tags = account.client("events").list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
        yield Resource("EventBridge rule", rule["Name"], normalize_tags(tags))


def log_groups(account: Account) -> Iterator[Resource]:
    """Yield the log groups."""
    for group in account.pages("logs", "describe_log_groups", "logGroups"):
        days = group.get("retentionInDays")
        yield Resource("log group", group["logGroupName"], note=f"{days} days" if days else "never expires")


def alarms(account: Account) -> Iterator[Resource]:
    """Yield the alarms, composite ones too."""
    for kind in ("MetricAlarms", "CompositeAlarms"):
        for alarm in account.pages(
            "cloudwatch", "describe_alarms", kind, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        ):
            yield Resource("CloudWatch alarm", alarm["AlarmName"])


def dashboards(account: Account) -> Iterator[Resource]:
    """Yield the dashboards."""
    for dashboard in account.pages("cloudwatch", "list_dashboards", "DashboardEntries"):
        yield Resource("CloudWatch dashboard", dashboard["DashboardName"])


KINDS: Mapping[str, Callable[[Account], Iterator[Resource]]] = {
    "SNS topics": topics,
    "SNS subscriptions": subscriptions,
    "SQS queues": queues,
    "EventBridge rules": rules,
    "log groups": log_groups,
    "CloudWatch alarms": alarms,
    "CloudWatch dashboards": dashboards,
}
