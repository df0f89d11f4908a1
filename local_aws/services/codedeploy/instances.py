"""What CodeDeploy refuses of the instances of a deployment group, whatever its compute platform.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_CreateDeploymentGroup.html#API_CreateDeploymentGroup_Errors
"""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError
from local_aws.core.context import Context

# "... exceeded the maximum allowed limit of 3."
TAG_GROUPS = 3
# Tag filters, the set of groups of such filters, its list, and the code for both in one call.
TAGS = (
    ("ec2TagFilters", "ec2TagSet", "ec2TagSetList", "InvalidEC2TagCombinationException"),
    (
        *("onPremisesInstanceTagFilters", "onPremisesTagSet", "onPremisesTagSetList"),
        "InvalidOnPremisesTagCombinationException",
    ),
)


def check_instances(context: Context, params: Mapping[str, Any]) -> None:
    """Refuse tag filters and tag sets in one call, too many tag groups, and unknown Auto Scaling groups."""
    for filters, tag_set, groups, code in TAGS:
        if params.get(filters) and params.get(tag_set):
            message = f"A call was submitted that specified both {filters} and {tag_set}."
            raise AwsError(code, message)
        if len(params.get(tag_set, {}).get(groups, [])) > TAG_GROUPS:
            message = (
                f"The number of tag groups in {groups} exceeded the maximum allowed limit of {TAG_GROUPS}."
            )
            raise AwsError("TagSetListLimitExceededException", message)
    names = params.get("autoScalingGroups", [])
    if names and len(_known(context, names)) < len(set(names)):
        message = "The Auto Scaling group was specified in an invalid format or does not exist."
        raise AwsError("InvalidAutoScalingGroupException", message)


def _known(context: Context, names: list[str]) -> list[Any]:
    client = context.client("autoscaling")
    found: list[Any] = client.describe_auto_scaling_groups(AutoScalingGroupNames=names)["AutoScalingGroups"]
    return found
