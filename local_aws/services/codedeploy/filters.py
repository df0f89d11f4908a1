"""The filters of CodeDeploy's lists: what AWS refuses of them, and what they leave out."""

import re
from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError, service_model
from local_aws.services.codedeploy.records import Revision

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
LABELS = ("Blue", "Green")


def check_time_range(params: Mapping[str, Any]) -> None:
    """Refuse a range of time that ends before it starts."""
    span = params.get("createTimeRange", {})
    if "start" in span and "end" in span and span["start"] > span["end"]:
        raise AwsError("InvalidTimeRangeException", "The specified time range was in an invalid format.")


def check_target_filters(filters: Mapping[str, list[str]]) -> None:
    """Refuse values that no target has.

    https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentTargets.html
    """
    statuses = service_model("codedeploy").shape_for("TargetStatus").enum
    for status in filters.get("TargetStatus", []):
        if status not in statuses:
            raise AwsError("InvalidInstanceStatusException", f"{status} is none of {', '.join(statuses)}")
    for label in filters.get("ServerInstanceLabel", []):
        if label not in LABELS:
            raise AwsError("InvalidInstanceTypeException", f"{label} is none of {', '.join(LABELS)}")


def is_selected(target: Mapping[str, Any], filters: Mapping[str, list[str]]) -> bool:
    """Return whether a target of ECS passes the filters; it is no server."""
    return target["ecsTarget"]["status"] in filters.get(
        "TargetStatus", [target["ecsTarget"]["status"]]
    ) and not filters.get("ServerInstanceLabel")


def check_bucket_filters(params: Mapping[str, Any]) -> None:
    """Refuse a prefix of keys without a bucket, and a bucket that cannot exist."""
    bucket = params.get("s3Bucket")
    if bucket is None and "s3KeyPrefix" in params:
        raise AwsError(
            "BucketNameFilterRequiredException", "A bucket name is required, but was not provided."
        )
    if bucket is not None and not BUCKET.fullmatch(bucket):
        raise AwsError("InvalidBucketNameFilterException", f"The bucket name {bucket} is not valid.")


def is_in_bucket(revision: Revision, params: Mapping[str, Any]) -> bool:
    """Return whether a revision is in the bucket, and under the prefix, of a request."""
    if "s3Bucket" not in params:
        return True
    location = revision.location.get("s3Location", {})
    key = str(location.get("key", ""))
    return location.get("bucket") == params["s3Bucket"] and key.startswith(params.get("s3KeyPrefix", ""))
