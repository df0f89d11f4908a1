"""Auto Scaling for the tests of CodeDeploy."""

from typing import Any


class FakeAutoScaling:
    """Has the group `fleet`."""

    def describe_auto_scaling_groups(self, AutoScalingGroupNames: list[str]) -> dict[str, Any]:  # noqa: N803
        found = [{"AutoScalingGroupName": name} for name in AutoScalingGroupNames if name == "fleet"]
        return {"AutoScalingGroups": found}
