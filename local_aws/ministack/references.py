"""Refuses to create what refers to a role, a key, a bucket, a topic or a queue that does not exist."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.ministack import iam as stored
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import check_before_create

eventbridge = require("services.eventbridge", "_put_targets", "error_response_json")
kms = require("services.kms", "_resolve_key")
lambda_svc = require("services.lambda_svc", "_create_function", "_functions", "error_response_json")
s3 = require("services.s3", "_buckets")
sns = require("services.sns", "_topics")
sqs = require("services.sqs", "_queues")

# https://github.com/danilop/LambdAuth/issues/49
LAMBDA_ROLE = "The role defined for the function cannot be assumed by Lambda."
# The words of PutRule, for the role of a rule: https://github.com/Miserlou/Zappa/issues/381
EVENTS_ROLE = "Provided role '{}' cannot be assumed by principal 'events.amazonaws.com'."
# Takes the properties, and raises ValueError.
Check = Callable[[Context, Properties], None]


def patch_references(context: Context) -> None:
    """Check the roles of functions and of rules' targets, and what a key's alias and policies belong to."""
    lambda_svc._create_function = _role_of_function(context, lambda_svc._create_function)
    eventbridge._put_targets = _roles_of_targets(context, eventbridge._put_targets)
    for resource_type, check in CHECKS.items():
        check_before_create(resource_type, partial(check, context))


def _role_of_function(context: Context, original: Callable[..., Any]) -> Callable[..., Any]:
    def create(request: Mapping[str, Any]) -> Any:
        role = request.get("Role")
        if role and not _trusts_lambda(context, str(role)):
            return lambda_svc.error_response_json("InvalidParameterValueException", LAMBDA_ROLE, 400)
        return original(request)

    return create


def _roles_of_targets(context: Context, original: Callable[..., Any]) -> Callable[..., Any]:
    def put(request: Mapping[str, Any]) -> Any:
        bus = request.get("EventBusName") or "default"
        path = "" if bus == "default" else f"{bus}/"
        rule = context.arn("events", f"rule/{path}{request.get('Rule')}")
        for target in request.get("Targets", []):
            role = target.get("RoleArn")
            if role and not context.may_assume(ServiceRole(role, "events", rule, Source.ACCOUNT_AND_ARN)):
                message = EVENTS_ROLE.format(role)
                return eventbridge.error_response_json("ValidationException", message, 400)
        return original(request)

    return put


def _trusts_lambda(context: Context, role: str) -> bool:
    return context.may_assume(ServiceRole(role, "lambda", "", Source.NONE))


def _check_function(context: Context, props: Properties) -> None:
    if not _trusts_lambda(context, str(props.get("Role"))):
        raise ValueError(f"{LAMBDA_ROLE} (Service: Lambda, Status Code: 400)")


def _check_rule(_: Context, props: Properties) -> None:
    """Check that the roles exist. A trust policy may ask for the ARN of the rule, which has no name yet."""
    for target in props.get("Targets") or []:
        role = target.get("RoleArn")
        if role and stored.role(role.split(":")[4], role.rpartition("/")[2]) is None:
            raise ValueError(f"{EVENTS_ROLE.format(role)} (Service: EventBridge, Status Code: 400)")


def _check_alias(_: Context, props: Properties) -> None:
    key = props["TargetKeyId"]
    if not kms._resolve_key(key):
        raise ValueError(f"Key '{key}' does not exist (Service: Kms, Status Code: 400)")


def _check_topic(_: Context, props: Properties) -> None:
    _check_topics(_, {"Topics": [props["TopicArn"]]})


def _check_bucket(_: Context, props: Properties) -> None:
    if props["Bucket"] not in s3._buckets:
        raise ValueError("The specified bucket does not exist (Service: S3, Status Code: 404)")


def _check_topics(_: Context, props: Properties) -> None:
    if any(topic not in sns._topics for topic in props["Topics"]):
        raise ValueError("Topic does not exist (Service: Sns, Status Code: 404)")


def _check_permission(context: Context, props: Properties) -> None:
    name = str(props["FunctionName"]).rpartition(":function:")[2].partition(":")[0]
    if name not in lambda_svc._functions:
        arn = context.arn("lambda", f"function:{name}")
        raise ValueError(f"Function not found: {arn} (Service: Lambda, Status Code: 404)")


def _check_queues(_: Context, props: Properties) -> None:
    if any(queue not in sqs._queues for queue in props["Queues"]):
        raise ValueError("The specified queue does not exist. (Service: Sqs, Status Code: 400)")


CHECKS: dict[str, Check] = {
    "AWS::Events::Rule": _check_rule,
    "AWS::KMS::Alias": _check_alias,
    "AWS::Lambda::Function": _check_function,
    "AWS::Lambda::Permission": _check_permission,
    "AWS::S3::BucketPolicy": _check_bucket,
    "AWS::SNS::Subscription": _check_topic,
    "AWS::SNS::TopicPolicy": _check_topics,
    "AWS::SQS::QueuePolicy": _check_queues,
}
