"""The states of alarms."""

from harness.cloud import Cloud
from operations.waiting import NotYetError, wait_for


def wait_for_alarm(cloud: Cloud, name: str, state: str = "ALARM") -> None:
    """Wait until an alarm is in `state`."""
    cloudwatch = cloud.client("cloudwatch")

    def look() -> None:
        (found,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        if found["StateValue"] != state:
            raise NotYetError(f"{name} is {found['StateValue']}")

    wait_for(f"{name} in {state}", look, deadline=cloud.minutes(10, own=1), interval=0.2)


def raised_alarms(cloud: Cloud, names: list[str]) -> set[str]:
    """Return which of these alarms are in ALARM, or have been."""
    found = set()
    for name in names:
        history = cloud.client("cloudwatch").describe_alarm_history(
            AlarmName=name, HistoryItemType="StateUpdate"
        )["AlarmHistoryItems"]
        found |= {name for item in history if item["HistorySummary"].endswith("to ALARM")}
    return found
