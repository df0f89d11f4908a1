"""AWS::ApplicationAutoScaling's types: ScalableTarget and ScalingPolicy."""

from typing import Any, Protocol

from local_aws.core.api import AwsError
from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.services.application_autoscaling.errors import unsupported
from local_aws.services.application_autoscaling.records import ScalableTarget, ScalingPolicy

_SERVICE = "application-autoscaling"
_TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
# The id of a target is `ResourceId|ScalableDimension|ServiceNamespace`.
_KEY = ("ResourceId", "ScalableDimension", "ServiceNamespace")
Created = tuple[str, dict[str, Any]]


class Service(Protocol):
    """The part of the service that the types use."""

    targets: dict[str, ScalableTarget]
    policies: dict[tuple[str, str], ScalingPolicy]

    def call(self, operation: str, params: Properties) -> dict[str, Any]:
        """Validate `params` and run `operation`."""
        ...


def resource_types(service: Service) -> dict[str, ResourceType]:
    """Return how CloudFormation creates, updates and deletes targets and policies."""
    return {_TARGET: _target_type(service), _POLICY: _policy_type(service)}


def _target_type(service: Service) -> ResourceType:
    def register(properties: Properties) -> Created:
        if properties.get("ScheduledActions"):
            raise unsupported("ScheduledActions")
        tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags", [])}
        given = arguments(_SERVICE, "RegisterScalableTarget", {**properties, "Tags": tags})
        service.call("RegisterScalableTarget", given)
        id_ = "|".join(properties[key] for key in _KEY)
        return id_, {"Id": id_}

    def create(properties: Properties, _logical_id: str, _stack: str) -> Created:
        if properties.get("ResourceId") in service.targets:
            name = properties["ResourceId"]
            message = f"Resource of type '{_TARGET}' with identifier '{name}' already exists."
            raise AwsError("AlreadyExists", message)
        return register(properties)

    def update(_id: str, old: Properties, new: Properties) -> dict[str, Any]:
        kept = {tag["Key"] for tag in new.get("Tags", [])}
        tags = service.targets[new["ResourceId"]].tags
        for gone in {tag["Key"] for tag in old.get("Tags", [])} - kept:
            tags.pop(gone, None)
        return register(new)[1]

    def delete(id_: str, _properties: Properties) -> None:
        key = _key_of(id_)
        if key["ResourceId"] in service.targets:
            service.call("DeregisterScalableTarget", key)

    return ResourceType(create, delete, update, frozenset(_KEY))


def _policy_type(service: Service) -> ResourceType:
    def put(properties: Properties) -> Created:
        given = {key: value for key, value in properties.items() if key != "ScalingTargetId"}
        if "ScalingTargetId" in properties:
            given |= _key_of(properties["ScalingTargetId"])
        elif not all(key in properties for key in _KEY):
            # The message: aws/aws-cdk#1837.
            raise AwsError(
                "ValidationError",
                "Either ScalingTargetId or all three of [ResourceId, ScalableDimension, ServiceNamespace] "
                "must be specified",
            )
        answer = service.call("PutScalingPolicy", arguments(_SERVICE, "PutScalingPolicy", given))
        return answer["PolicyARN"], {"Arn": answer["PolicyARN"]}

    def create(properties: Properties, _logical_id: str, _stack: str) -> Created:
        return put(properties)

    def update(_arn: str, _old: Properties, new: Properties) -> dict[str, Any]:
        return put(new)[1]

    def delete(arn: str, _properties: Properties) -> None:
        for policy in list(service.policies.values()):
            if policy.arn == arn:
                key = {name: policy.content[name] for name in (*_KEY, "PolicyName")}
                service.call("DeleteScalingPolicy", key)

    return ResourceType(create, delete, update, frozenset({*_KEY, "PolicyName", "ScalingTargetId"}))


def _key_of(id_: str) -> dict[str, str]:
    return dict(zip(_KEY, id_.split("|"), strict=True))
