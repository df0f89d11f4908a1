"""The scalable targets of Application Auto Scaling, and the desired counts of their services."""

import uuid
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import CALLER, AwsError, JsonService, now
from local_aws.core.context import Context
from local_aws.services.application_autoscaling import errors, validation
from local_aws.services.application_autoscaling.records import KEY, NAMESPACE, ScalableTarget
from local_aws.services.application_autoscaling.validation import Params

SERVICE_PRINCIPAL = "ecs.application-autoscaling.amazonaws.com"
_ROLE = f"role/aws-service-role/{SERVICE_PRINCIPAL}/AWSServiceRoleForApplicationAutoScaling_ECSService"
# Of the caller, whom the service checks before it acts in its own role.
# https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html
OF_THE_TARGET = ("ecs:DescribeServices", "ecs:UpdateService")
_KEPT_ACTIVITIES = 100
_FULFILLED = "Change successfully fulfilled by ecs."


class TargetOperations(JsonService):
    """Operations on targets, their activities and their tags."""

    service = "application-autoscaling"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        # By resource id.
        self.targets: dict[str, ScalableTarget] = {}

    def register_scalable_target(self, params: Params) -> dict[str, Any]:
        """Register a target, or change its capacities or its suspended state; what is not given stays."""
        validation.check_resource(params)
        self.check_caller(params["ResourceId"], OF_THE_TARGET)
        known = self.targets.get(params["ResourceId"])
        content = dict(known.content) if known else self._new_target(params)
        given = {key: params[key] for key in ("MinCapacity", "MaxCapacity") if key in params}
        content |= given
        content["SuspendedState"] = content["SuspendedState"] | params.get("SuspendedState", {})
        validation.check_capacities(content.get("MinCapacity"), content.get("MaxCapacity"))
        target = known or ScalableTarget(content)
        current = self.desired_count(target)
        self.context.create_service_linked_role(self.context.account, SERVICE_PRINCIPAL, CALLER.get())
        target.content = content
        self.targets[target.resource] = target
        target.tags |= params.get("Tags", {})
        if given:
            self._keep_within_limits(target, current)
        return {"ScalableTargetARN": content["ScalableTargetARN"]}

    def _new_target(self, params: Params) -> dict[str, Any]:
        role = f"arn:aws:iam::{self.context.account}:{_ROLE}"
        return {
            **{key: params[key] for key in KEY},
            "RoleARN": params.get("RoleARN", role),
            "CreationTime": now(),
            "SuspendedState": dict.fromkeys(
                ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"),
                False,
            ),
            "ScalableTargetARN": self.context.arn(self.service, f"scalable-target/{uuid.uuid4().hex}"),
        }

    def _keep_within_limits(self, target: ScalableTarget, current: int) -> None:
        """Set the desired count to a limit that it is outside of; that is no scaling by a policy.

        https://docs.aws.amazon.com/cli/latest/reference/application-autoscaling/describe-scaling-activities.html
        """
        wanted = target.limit(current)
        if wanted != current:
            which = "minimum" if wanted > current else "maximum"
            self.set_desired_count(target, wanted, f"{which} capacity was set to {wanted}")

    def describe_scalable_targets(self, params: Params) -> dict[str, Any]:
        """Describe all targets, or those of some services."""
        wanted = params.get("ResourceIds")
        found = [one.content for one in self.targets.values() if wanted is None or one.resource in wanted]
        return {"ScalableTargets": found if params["ServiceNamespace"] == NAMESPACE else []}

    def describe_scaling_activities(self, params: Params) -> dict[str, Any]:
        """Describe the activities, the newest first."""
        wanted = params.get("ResourceId")
        found = [
            activity
            for target in self.targets.values()
            if wanted in (None, target.resource)
            for activity in target.activities
        ]
        found.sort(key=lambda activity: activity["StartTime"], reverse=True)
        return {"ScalingActivities": found if params["ServiceNamespace"] == NAMESPACE else []}

    def tag_resource(self, params: Params) -> None:
        """Add tags to a target."""
        self._tags(params["ResourceARN"]).update(params["Tags"])

    def untag_resource(self, params: Params) -> None:
        """Remove tags from a target."""
        tags = self._tags(params["ResourceARN"])
        for key in params["TagKeys"]:
            tags.pop(key, None)

    def list_tags_for_resource(self, params: Params) -> dict[str, Any]:
        """List the tags of a target."""
        return {"Tags": self._tags(params["ResourceARN"])}

    def _tags(self, arn: str) -> dict[str, str]:
        for target in self.targets.values():
            if target.content["ScalableTargetARN"] == arn:
                return target.tags
        raise errors.resource_not_found(arn)

    def desired_count(self, target: ScalableTarget) -> int:
        """Return the desired count of the target's service. Raises ValidationException if there is none."""
        cluster, name = target.service
        try:
            found = self.context.client("ecs").describe_services(cluster=cluster, services=[name])["services"]
        except ClientError:
            found = []
        if not found or found[0]["status"] != "ACTIVE":
            raise errors.service_missing(target.resource)
        return int(found[0]["desiredCount"])

    def set_desired_count(self, target: ScalableTarget, count: int, cause: str) -> None:
        """Set the desired count, and record the activity."""
        cluster, name = target.service
        activity = {
            **{key: target.content[key] for key in KEY},
            "ActivityId": str(uuid.uuid4()),
            "Description": f"Setting desired count to {count}.",
            "Cause": cause,
            "StartTime": now(),
            "StatusCode": "Successful",
            "StatusMessage": f"Successfully set desired count to {count}. {_FULFILLED}",
        }
        try:
            self.context.client("ecs").update_service(cluster=cluster, service=name, desiredCount=count)
        except ClientError as error:
            failed = f"Failed to set desired count to {count}. Reason: {error}"
            activity |= {"StatusCode": "Failed", "StatusMessage": failed}
        target.activities.insert(0, {**activity, "EndTime": now()})
        del target.activities[_KEPT_ACTIVITIES:]

    def check_caller(self, resource: str, actions: tuple[str, ...]) -> None:
        """Raise ValidationException unless the caller may do to the target what the service will do.

        CloudFormation, which has no access key, may do everything (pitfall C12).
        """
        missing = [action for action in actions if not self._may(CALLER.get(), action, resource)]
        if missing:
            raise errors.missing_permissions(missing)

    def _may(self, caller: str, action: str, resource: str) -> bool:
        service = action.partition(":")[0]
        arn = self.context.arn(service, resource if service == "ecs" else "alarm:*")
        try:
            if caller:
                self.context.authorize(caller, action, arn)
        except AwsError:
            return False
        return True
