"""Application Auto Scaling: changes the desired count of ECS services by target tracking policies."""

import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError, Counts, now
from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context
from local_aws.services.application_autoscaling import errors, tracking, validation
from local_aws.services.application_autoscaling.records import KEY, NAMESPACE, ScalableTarget, ScalingPolicy
from local_aws.services.application_autoscaling.resource_types import resource_types
from local_aws.services.application_autoscaling.targets import OF_THE_TARGET, TargetOperations
from local_aws.services.application_autoscaling.validation import Params

_OF_THE_ALARMS = ("cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm", "cloudwatch:DeleteAlarms")


class ApplicationAutoScaling(TargetOperations):
    """The service of one account and region, for the desired count of ECS services."""

    persisted = ("targets", "policies")
    counts: ClassVar[Counts] = {
        "PutScalingPolicy": lambda own, params: own.other_policies(params),
        "RegisterScalableTarget": lambda own, params: (
            -1 if params["ResourceId"] in own.targets else len(own.targets)
        ),
    }

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        # By resource id and name.
        self.policies: dict[tuple[str, str], ScalingPolicy] = {}

    def resource_types(self) -> dict[str, ResourceType]:
        """Return the CloudFormation resource types."""
        return resource_types(self)

    def deregister_scalable_target(self, params: Params) -> dict[str, Any]:
        """Deregister a target, and delete its policies and their alarms."""
        validation.check_resource(params)
        resource = params["ResourceId"]
        if resource not in self.targets:
            raise errors.target_not_found(resource, params["ScalableDimension"])
        for policy in self._policies_of(resource):
            self._delete_policy(policy)
        del self.targets[resource]
        return {}

    def put_scaling_policy(self, params: Params) -> dict[str, Any]:
        """Create a policy with its alarms, or replace its configuration."""
        validation.check_resource(params)
        resource, name = params["ResourceId"], params["PolicyName"]
        if resource not in self.targets:
            raise errors.not_registered(resource, params["ScalableDimension"])
        known = self.policies.get((resource, name))
        kind = {"PolicyType": known.content["PolicyType"]} if known else {}
        params = {**kind, **params}
        validation.check_policy(params)
        self.check_caller(resource, OF_THE_TARGET)
        self.check_caller(resource, _OF_THE_ALARMS)
        policy = ScalingPolicy(
            {
                **{key: params[key] for key in (*KEY, "PolicyName", "PolicyType")},
                "TargetTrackingScalingPolicyConfiguration": params[
                    "TargetTrackingScalingPolicyConfiguration"
                ],
                "PolicyARN": known.arn if known else self._policy_arn(resource, name),
                "CreationTime": known.content["CreationTime"] if known else now(),
                "Alarms": [],
            }
        )
        if known:
            self._delete_policy(known)
        policy.content["Alarms"] = list(self._put_alarms(policy))
        self.policies[resource, name] = policy
        return {"PolicyARN": policy.arn, "Alarms": policy.content["Alarms"]}

    def other_policies(self, params: Params) -> int:
        """Return how many policies a target has to which a call adds one."""
        resource = params["ResourceId"]
        return -1 if (resource, params["PolicyName"]) in self.policies else len(self._policies_of(resource))

    def _policy_arn(self, resource: str, name: str) -> str:
        place = f"resource/{NAMESPACE}/{resource}:policyName/{name}"
        return self.context.arn("autoscaling", f"scalingPolicy:{uuid.uuid4()}:{place}")

    def _put_alarms(self, policy: ScalingPolicy) -> Iterator[dict[str, str]]:
        cloudwatch = self.context.client("cloudwatch")
        for alarm in tracking.alarms(policy):
            name = alarm["AlarmName"]
            try:
                cloudwatch.put_metric_alarm(**alarm)
            except ClientError as error:
                raise AwsError("FailedResourceAccessException", str(error)) from error
            yield {"AlarmName": name, "AlarmARN": self.context.arn("cloudwatch", f"alarm:{name}")}

    def describe_scaling_policies(self, params: Params) -> dict[str, Any]:
        """Describe all policies, or those of a service or of some names."""
        wanted, names = params.get("ResourceId"), params.get("PolicyNames")
        found = [
            policy.content
            for policy in self.policies.values()
            if wanted in (None, policy.resource) and (names is None or policy.name in names)
        ]
        return {"ScalingPolicies": found if params["ServiceNamespace"] == NAMESPACE else []}

    def delete_scaling_policy(self, params: Params) -> dict[str, Any]:
        """Delete a policy and its alarms."""
        validation.check_resource(params)
        resource, name = params["ResourceId"], params["PolicyName"]
        policy = self.policies.get((resource, name))
        if policy is None:
            raise errors.policy_not_found(resource, params["ScalableDimension"], name)
        self._delete_policy(policy)
        return {}

    def _delete_policy(self, policy: ScalingPolicy) -> None:
        self.context.client("cloudwatch").delete_alarms(AlarmNames=policy.alarm_names)
        self.policies.pop((policy.resource, policy.name), None)

    def _policies_of(self, resource: str) -> list[ScalingPolicy]:
        return [policy for policy in self.policies.values() if policy.resource == resource]

    def execute(self, policy_arn: str, alarm_name: str, metric: float) -> None:
        """Scale by a policy whose alarm is in ALARM; CloudWatch calls it in each minute of that."""
        with self.lock:
            for policy in list(self.policies.values()):
                if policy.arn == policy_arn and alarm_name in policy.alarm_names:
                    # The service may be deleted; AWS deregisters its target then.
                    with suppress(AwsError):
                        self._scale(policy, alarm_name, metric)

    def _scale(self, policy: ScalingPolicy, alarm_name: str, metric: float) -> None:
        target, out = self.targets[policy.resource], tracking.is_high(alarm_name)
        if target.suspended(out=out):
            return
        current = self.desired_count(target)
        wanted = self._wanted(policy, target, current, metric, out=out)
        if wanted != current:
            if not (out and policy.last_out and self._is_cooling_down(policy)):
                policy.last_capacity = current
            policy.last_scaled, policy.last_out = self.context.clock.time(), out
            cause = f"monitor alarm {alarm_name} in state ALARM triggered policy {policy.name}"
            self.set_desired_count(target, wanted, cause)

    def _wanted(
        self, policy: ScalingPolicy, target: ScalableTarget, current: int, metric: float, *, out: bool
    ) -> int:
        """Return the capacity that the policy wants now, with respect to its cooldowns.

        After a scale-out, only a scale-out from the earlier capacity to still more tasks goes on; after a
        scale-in, only a scale-out.
        """
        cooling, value = self._is_cooling_down(policy), float(policy.configuration["TargetValue"])
        if cooling and not out and not policy.last_out:
            return current
        base = policy.last_capacity if cooling and out and policy.last_out else current
        wanted = target.limit(tracking.wanted_capacity(base, metric, value, out=out))
        return max(current, wanted) if out else wanted

    def _is_cooling_down(self, policy: ScalingPolicy) -> bool:
        if policy.last_scaled is None:
            return False
        clock = self.context.clock
        return clock.time() - policy.last_scaled < clock.seconds(policy.cooldown(out=policy.last_out))
