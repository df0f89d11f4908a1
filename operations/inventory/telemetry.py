"""What watches and tells: SNS, EventBridge, CloudWatch and its logs."""

from collections.abc import Callable, Iterator, Mapping

from operations.account import Account
from operations.ownership import Thing, flat


def topics(account: Account) -> Iterator[Thing]:
    """Yield the topics."""
    for found in account.pages("sns", "list_topics", "Topics"):
        arn = found["TopicArn"]
        tags = account.client("sns").list_tags_for_resource(ResourceArn=arn)["Tags"]
        yield Thing("SNS topic", arn.rpartition(":")[2], flat(tags))


def subscriptions(account: Account) -> Iterator[Thing]:
    """Yield the subscriptions; an address that never confirmed one drops out by itself (pitfall G3)."""
    for found in account.pages("sns", "list_subscriptions", "Subscriptions"):
        pending = found["SubscriptionArn"] == "PendingConfirmation"
        topic = found["TopicArn"].rpartition(":")[2]
        note = "never confirmed, AWS drops it" if pending else ""
        yield Thing(
            "SNS subscription",
            f"{topic} -> {found['Endpoint']}",
            parents=(topic,),
            note=note,
            remains=not pending,
        )


def rules(account: Account) -> Iterator[Thing]:
    """Yield the EventBridge rules of the default bus."""
    for rule in account.pages("events", "list_rules", "Rules"):
        tags = account.client("events").list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
        yield Thing("EventBridge rule", rule["Name"], flat(tags))


def log_groups(account: Account) -> Iterator[Thing]:
    """Yield the log groups."""
    for group in account.pages("logs", "describe_log_groups", "logGroups"):
        days = group.get("retentionInDays")
        yield Thing("log group", group["logGroupName"], note=f"{days} days" if days else "never expires")


def log_policies(account: Account) -> Iterator[Thing]:
    """Yield the resource policies of the account's logs; each takes one of ten places."""
    for policy in account.pages("logs", "describe_resource_policies", "resourcePolicies"):
        yield Thing("logs resource policy", policy["policyName"])


def alarms(account: Account) -> Iterator[Thing]:
    """Yield the alarms, composite ones too."""
    for kind in ("MetricAlarms", "CompositeAlarms"):
        for alarm in account.pages(
            "cloudwatch", "describe_alarms", kind, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        ):
            yield Thing("CloudWatch alarm", alarm["AlarmName"])


def dashboards(account: Account) -> Iterator[Thing]:
    """Yield the dashboards."""
    for dashboard in account.pages("cloudwatch", "list_dashboards", "DashboardEntries"):
        yield Thing("CloudWatch dashboard", dashboard["DashboardName"])


KINDS: Mapping[str, Callable[[Account], Iterator[Thing]]] = {
    "SNS topics": topics,
    "SNS subscriptions": subscriptions,
    "EventBridge rules": rules,
    "log groups": log_groups,
    "logs resource policies": log_policies,
    "CloudWatch alarms": alarms,
    "CloudWatch dashboards": dashboards,
}
