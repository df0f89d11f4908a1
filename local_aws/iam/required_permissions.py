"""The permissions that a call needs: for its own action, and for those that AWS authorizes with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_aws.iam import s3_actions
from local_aws.iam.matching import Value, Values
from local_aws.iam.request_parser import Call, HttpRequest
from local_aws.iam.resources import ArnScope, action_of, resources_of
from local_aws.iam.service_keys import service_keys


@dataclass(frozen=True)
class Permission:
    """One action on one resource, with its own context keys, in lower case."""

    action: str
    resource: str
    values: Values = field(default_factory=dict)


class Lookups(Protocol):
    """What the permissions of a call depend on in its account."""

    def key_arn(self, key: str) -> str: ...

    def is_managed_key(self, arn: str) -> bool: ...

    def bucket_key(self, bucket: str) -> str: ...

    def object_key(self, bucket: str, key: str) -> str: ...

    def topic_key(self, arn: str) -> str: ...

    def queue_key(self, url: str) -> str: ...

    def parameter_key(self, name: str) -> str: ...

    def task_roles(self, task_definition: str) -> list[str]: ...

    def deployment_config(self, application: str, group: str) -> str: ...


# Operation -> the parameters that pass a role, and the service that they pass it to.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
PASSED_ROLES = {
    "ecs:RegisterTaskDefinition": (("taskRoleArn", "executionRoleArn"), "ecs-tasks"),
    "codebuild:CreateProject": (("serviceRole",), "codebuild"),
    "codebuild:UpdateProject": (("serviceRole",), "codebuild"),
    "codepipeline:CreatePipeline": (("pipeline.roleArn",), "codepipeline"),
    "codepipeline:UpdatePipeline": (("pipeline.roleArn",), "codepipeline"),
    "codedeploy:CreateDeploymentGroup": (("serviceRoleArn",), "codedeploy"),
    "codedeploy:UpdateDeploymentGroup": (("serviceRoleArn",), "codedeploy"),
    "lambda:CreateFunction": (("Role",), "lambda"),
    "lambda:UpdateFunctionConfiguration": (("Role",), "lambda"),
    "cloudformation:CreateStack": (("RoleARN",), "cloudformation"),
    "cloudformation:UpdateStack": (("RoleARN",), "cloudformation"),
    "cloudformation:DeleteStack": (("RoleARN",), "cloudformation"),
}
# Operations that pass the roles of a task definition.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/codedeploy_IAM_role.html
STARTING_TASKS = frozenset({"CreateTaskSet", "CreateService", "UpdateService", "RunTask", "StartTask"})
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html (pitfall D6)
TAGGING = frozenset({"CreateCluster", "CreateService", "CreateTaskSet", "RegisterTaskDefinition", "RunTask"})

# Operation -> what S3 does with the KMS key.
_WRITES = {
    "PutObject": ("GenerateDataKey",),
    "CopyObject": ("GenerateDataKey",),
    "CreateMultipartUpload": ("GenerateDataKey", "Decrypt"),
}
_QUEUE_ACTIONS = {
    "SendMessage": ("GenerateDataKey", "Decrypt"),
    "SendMessageBatch": ("GenerateDataKey", "Decrypt"),
    "ReceiveMessage": ("Decrypt",),
}
_PARTS = frozenset({"UploadPart", "UploadPartCopy", "CompleteMultipartUpload"})
_READS = frozenset({"GetObject"})
_PARAMETER_NAMES = {"GetParameter": "Name", "GetParameters": "Names"}


def required_permissions(
    call: Call, request: HttpRequest, scope: ArnScope, lookups: Lookups
) -> Iterator[Permission]:
    """Yield the permissions that a call needs, that of its own action first."""
    if call.service == "s3":
        yield from _s3(call, request, scope, lookups)
        return
    yield from _own_actions(call, scope)
    roles, service = _passed_roles(call, lookups)
    for role in dict.fromkeys(filter(None, roles)):
        yield Permission("iam:PassRole", role, {"iam:passedtoservice": f"{service}.amazonaws.com"})
    further = _FURTHER.get(call.service)
    if further is not None:
        yield from further(call, scope, lookups)


def _own_actions(call: Call, scope: ArnScope) -> Iterator[Permission]:
    tags = _tags(call)
    for resource in resources_of(call, scope):
        yield Permission(action_of(call), resource, service_keys(call, scope) | tags)
        if call.service == "ecs" and call.operation in TAGGING and tags:
            yield Permission("ecs:TagResource", resource, {**tags, "ecs:createaction": call.operation})


def _passed_roles(call: Call, lookups: Lookups) -> tuple[list[str], str]:
    """Return the roles that a call passes, and the service that it passes them to."""
    if call.service == "ecs" and call.operation in STARTING_TASKS:
        return lookups.task_roles(str(call.params.get("taskDefinition", ""))), "ecs-tasks"
    if call.service == "events" and call.operation == "PutTargets":
        targets = call.params.get("Targets") or []
        return [str(target.get("RoleArn") or "") for target in targets], "events"
    names, service = PASSED_ROLES.get(f"{call.service}:{call.operation}", ((), ""))
    return [_parameter(call.params, name) for name in names], service


def _parameter(params: Mapping[str, Any], name: str) -> str:
    value: Any = params
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return str(value or "")


def _deployment(call: Call, scope: ArnScope, lookups: Lookups) -> Iterator[Permission]:
    """CreateDeployment registers its revision and reads its configuration, as its caller.

    Both are in the deploy action's list: https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam.html
    """
    if call.operation != "CreateDeployment":
        return
    application = str(call.params.get("applicationName", ""))
    group = str(call.params.get("deploymentGroupName", ""))
    config = str(call.params.get("deploymentConfigName") or lookups.deployment_config(application, group))
    yield Permission("codedeploy:GetDeploymentConfig", scope.arn("codedeploy", f"deploymentconfig:{config}"))
    if call.params.get("revision"):
        arn = scope.arn("codedeploy", f"application:{application}")
        yield Permission("codedeploy:RegisterApplicationRevision", arn)


def _publish(call: Call, scope: ArnScope, lookups: Lookups) -> Iterator[Permission]:
    if not call.operation.startswith("Publish"):
        return
    topic = str(call.params.get("TopicArn", ""))
    keys = {"kms:encryptioncontext:aws:sns:topicarn": topic}
    yield from _kms(lookups.topic_key(topic), ("GenerateDataKey", "Decrypt"), "sns", keys, scope, lookups)


def _messages(call: Call, scope: ArnScope, lookups: Lookups) -> Iterator[Permission]:
    """SQS uses the KMS key of a queue as the caller.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
    """
    if call.operation not in _QUEUE_ACTIONS:
        return
    url = str(call.params.get("QueueUrl", ""))
    keys = {"kms:encryptioncontext:aws:sqs:arn": scope.arn("sqs", url.rpartition("/")[2])}
    yield from _kms(lookups.queue_key(url), _QUEUE_ACTIONS[call.operation], "sqs", keys, scope, lookups)


def _secure_parameters(call: Call, scope: ArnScope, lookups: Lookups) -> Iterator[Permission]:
    if call.operation not in _PARAMETER_NAMES or not call.params.get("WithDecryption"):
        return
    names = call.params.get(_PARAMETER_NAMES[call.operation], [])
    for name in names if isinstance(names, list) else [names]:
        arn = scope.arn("ssm", f"parameter/{str(name).lstrip('/')}")
        keys = {"kms:encryptioncontext:parameter_arn": arn}
        yield from _kms(lookups.parameter_key(str(name)), ("Decrypt",), "ssm", keys, scope, lookups)


def _public_registry_sign_in(call: Call, scope: ArnScope, lookups: Lookups) -> Iterator[Permission]:
    """GetAuthorizationToken gets a bearer token from STS, as its caller.

    https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html
    """
    if call.operation == "GetAuthorizationToken":
        yield Permission("sts:GetServiceBearerToken", "*")


# Service -> the permissions that some of its operations need besides their own.
_FURTHER = {
    "codedeploy": _deployment,
    "ecr-public": _public_registry_sign_in,
    "sns": _publish,
    "sqs": _messages,
    "ssm": _secure_parameters,
}


# The headers that are condition keys of S3, too.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html
_ENCRYPTION = ("x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id")


def _s3(call: Call, request: HttpRequest, scope: ArnScope, lookups: Lookups) -> Iterator[Permission]:
    """S3 uses the KMS key of an object as the caller.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    bucket, key = str(call.params.get("Bucket", "")), str(call.params.get("Key", ""))
    encryption: dict[str, Value] = {
        f"s3:{name}": request.headers[name] for name in _ENCRYPTION if name in request.headers
    }
    yield Permission(s3_actions.action_of(call), s3_actions.resource_of(call), encryption)
    source = request.headers.get("x-amz-copy-source", "").lstrip("/")
    if source:
        yield Permission("s3:GetObject", f"arn:aws:s3:::{source.partition('?')[0]}")
    keys = {"kms:encryptioncontext:aws:s3:arn": f"arn:aws:s3:::{bucket}/{key}"}
    if call.operation in _WRITES:
        requested = request.headers.get("x-amz-server-side-encryption-aws-kms-key-id", "")
        encrypted = "x-amz-server-side-encryption" in request.headers
        used = requested if encrypted else lookups.bucket_key(bucket)
        yield from _kms(used, _WRITES[call.operation], "s3", keys, scope, lookups)
    elif call.operation in _PARTS:
        yield from _kms(lookups.bucket_key(bucket), ("Decrypt",), "s3", keys, scope, lookups)
    elif call.operation in _READS:
        yield from _kms(lookups.object_key(bucket, key), ("Decrypt",), "s3", keys, scope, lookups)


def _kms(
    key: str, actions: tuple[str, ...], via: str, keys: Mapping[str, str], scope: ArnScope, lookups: Lookups
) -> Iterator[Permission]:
    arn = lookups.key_arn(key) if key else ""
    # The policy of an AWS managed key allows every caller of its service, and cannot be changed.
    if not arn or ":alias/aws/" in arn or arn.startswith("alias/aws/") or lookups.is_managed_key(arn):
        return
    context = {**keys, **via_service(via, scope.region, scope.account)}
    for action in actions:
        yield Permission(f"kms:{action}", arn, context)


def via_service(service: str, region: str, account: str) -> dict[str, Value]:
    """Return the context keys of a service that uses a KMS key for its caller."""
    return {
        "kms:viaservice": f"{service}.{region}.amazonaws.com",
        "kms:calleraccount": account,
        "aws:viaawsservice": "true",
        "aws:calledvia": (f"{service}.amazonaws.com",),
    }


def _tags(call: Call) -> dict[str, Value]:
    """Return the tags of a request as context keys.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    tags = call.params.get("tags", call.params.get("Tags"))
    pairs: dict[str, str] = {}
    if isinstance(tags, Mapping):
        pairs = {str(key): str(value) for key, value in tags.items()}
    elif isinstance(tags, list):
        pairs = dict(_pair(tag) for tag in tags if isinstance(tag, Mapping))
    if not pairs:
        return {}
    return {
        **{f"aws:requesttag/{key.lower()}": value for key, value in pairs.items()},
        "aws:tagkeys": tuple(pairs),
    }


def _pair(tag: Mapping[str, Any]) -> tuple[str, str]:
    return str(tag.get("key", tag.get("Key"))), str(tag.get("value", tag.get("Value", "")))
