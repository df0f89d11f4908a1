"""Everything that one call asks for: its own action, and those that AWS checks along with it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from local_aws.iam import s3_actions
from local_aws.iam.matching import Values
from local_aws.iam.request_parser import Call, HttpRequest
from local_aws.iam.resources import Place, action_of, resources_of


@dataclass(frozen=True)
class Asked:
    """One action on one resource, with the context keys that only it has (in lower case)."""

    action: str
    resource: str
    values: Values = field(default_factory=dict)


class Lookups(Protocol):
    """What only the account knows."""

    def key_arn(self, key: str) -> str: ...

    def is_managed_key(self, arn: str) -> bool: ...

    def bucket_key(self, bucket: str) -> str: ...

    def object_key(self, bucket: str, key: str) -> str: ...

    def topic_key(self, arn: str) -> str: ...

    def parameter_key(self, name: str) -> str: ...

    def task_roles(self, task_definition: str) -> list[str]: ...

    def deployment_config(self, application: str, group: str) -> str: ...


# Operation -> the parameters that pass a role, and to which service.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
PASSES = {
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
# They pass the roles of the task definition that they start.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/codedeploy_IAM_role.html
STARTS_TASKS = frozenset({"CreateTaskSet", "CreateService", "UpdateService", "RunTask", "StartTask"})
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/supported-iam-actions-tagging.html (pitfall D6)
TAGS = frozenset({"CreateCluster", "CreateService", "CreateTaskSet", "RegisterTaskDefinition", "RunTask"})

_WRITES = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload"})
_PARTS = frozenset({"UploadPart", "UploadPartCopy", "CompleteMultipartUpload"})
_READS = frozenset({"GetObject"})
_PARAMETERS = {"GetParameter": "Name", "GetParameters": "Names"}


def asked(call: Call, request: HttpRequest, place: Place, lookups: Lookups) -> Iterator[Asked]:
    """Yield what a call asks for, the call's own action first."""
    if call.service == "s3":
        yield from _s3(call, request, place, lookups)
        return
    tags = _tags(call)
    for resource in resources_of(call, place):
        yield Asked(action_of(call), resource, _own_values(call) | tags)
        if call.service == "ecs" and call.operation in TAGS and tags:
            yield Asked("ecs:TagResource", resource, {**tags, "ecs:createaction": call.operation})
    yield from _passed(call, lookups)
    if call.service == "codedeploy" and call.operation == "CreateDeployment":
        yield from _deployment(call, place, lookups)
    if call.service == "sns" and call.operation.startswith("Publish"):
        topic = str(call.params.get("TopicArn", ""))
        values = {"kms:encryptioncontext:aws:sns:topicarn": topic}
        yield from _kms(
            lookups.topic_key(topic), ("GenerateDataKey", "Decrypt"), "sns", values, place, lookups
        )
    if call.service == "ssm" and call.operation in _PARAMETERS and call.params.get("WithDecryption"):
        yield from _parameters(call, place, lookups)


def _own_values(call: Call) -> dict[str, str | tuple[str, ...]]:
    """Return the context keys of the service's own that this project's policies could ask for."""
    params = call.params
    if call.service == "sts":
        named = {"sts:externalid": "ExternalId", "sts:rolesessionname": "RoleSessionName"}
        return {key: str(params[name]) for key, name in named.items() if name in params}
    if call.service == "ecs" and "cluster" in params:
        cluster = str(params["cluster"])
        return {"ecs:cluster": cluster} if cluster.startswith("arn:") else {}
    return {}


def _passed(call: Call, lookups: Lookups) -> Iterator[Asked]:
    names, to = PASSES.get(f"{call.service}:{call.operation}", ((), ""))
    roles = [role for name in names if (role := _parameter(call.params, name))]
    if call.service == "ecs" and call.operation in STARTS_TASKS:
        roles, to = lookups.task_roles(str(call.params.get("taskDefinition", ""))), "ecs-tasks"
    if call.service == "events" and call.operation == "PutTargets":
        targets = call.params.get("Targets") or []
        roles, to = [str(each["RoleArn"]) for each in targets if each.get("RoleArn")], "events"
    for role in dict.fromkeys(roles):
        yield Asked("iam:PassRole", role, {"iam:passedtoservice": f"{to}.amazonaws.com"})


def _parameter(params: Mapping[str, Any], name: str) -> str:
    value: Any = params
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return str(value or "")


def _deployment(call: Call, place: Place, lookups: Lookups) -> Iterator[Asked]:
    """CreateDeployment registers its revision and reads its configuration, as its caller.

    Both are in the deploy action's list: https://docs.aws.amazon.com/codepipeline/latest/userguide/security-iam.html
    """
    application = str(call.params.get("applicationName", ""))
    group = str(call.params.get("deploymentGroupName", ""))
    named = str(call.params.get("deploymentConfigName") or lookups.deployment_config(application, group))
    yield Asked("codedeploy:GetDeploymentConfig", place.arn("codedeploy", f"deploymentconfig:{named}"))
    if call.params.get("revision"):
        about = place.arn("codedeploy", f"application:{application}")
        yield Asked("codedeploy:RegisterApplicationRevision", about)


def _s3(call: Call, request: HttpRequest, place: Place, lookups: Lookups) -> Iterator[Asked]:
    """An object under a KMS key needs the key too, for S3 to use as the caller.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    bucket, key = str(call.params.get("Bucket", "")), str(call.params.get("Key", ""))
    yield Asked(s3_actions.action_of(call), s3_actions.resource_of(call))
    source = request.headers.get("x-amz-copy-source", "").lstrip("/")
    if source:
        yield Asked("s3:GetObject", f"arn:aws:s3:::{source.partition('?')[0]}")
    values = {"kms:encryptioncontext:aws:s3:arn": f"arn:aws:s3:::{bucket}/{key}"}
    wanted = request.headers.get("x-amz-server-side-encryption-aws-kms-key-id", "")
    if call.operation in _WRITES:
        named = "x-amz-server-side-encryption" in request.headers
        used = wanted if named else lookups.bucket_key(bucket)
        actions = (
            ("GenerateDataKey",)
            if call.operation != "CreateMultipartUpload"
            else ("GenerateDataKey", "Decrypt")
        )
        yield from _kms(used, actions, "s3", values, place, lookups)
    elif call.operation in _PARTS:
        yield from _kms(lookups.bucket_key(bucket), ("Decrypt",), "s3", values, place, lookups)
    elif call.operation in _READS:
        yield from _kms(lookups.object_key(bucket, key), ("Decrypt",), "s3", values, place, lookups)


def _parameters(call: Call, place: Place, lookups: Lookups) -> Iterator[Asked]:
    names = call.params.get(_PARAMETERS[call.operation], [])
    for name in names if isinstance(names, list) else [names]:
        values = {
            "kms:encryptioncontext:parameter_arn": place.arn("ssm", f"parameter/{str(name).lstrip('/')}")
        }
        yield from _kms(lookups.parameter_key(str(name)), ("Decrypt",), "ssm", values, place, lookups)


def _kms(
    key: str, actions: tuple[str, ...], via: str, values: Mapping[str, str], place: Place, lookups: Lookups
) -> Iterator[Asked]:
    arn = lookups.key_arn(key) if key else ""
    # Who may use the service may use AWS's own key of it: its policy says so, and nobody can edit it.
    if not arn or ":alias/aws/" in arn or arn.startswith("alias/aws/") or lookups.is_managed_key(arn):
        return
    about: dict[str, str | tuple[str, ...]] = {
        **values,
        "kms:viaservice": f"{via}.{place.region}.amazonaws.com",
        "kms:calleraccount": place.account,
        "aws:viaawsservice": "true",
        "aws:calledvia": (f"{via}.amazonaws.com",),
    }
    for action in actions:
        yield Asked(f"kms:{action}", arn, about)


def _tags(call: Call) -> dict[str, str | tuple[str, ...]]:
    """Return the tags of a request as context keys."""
    tags = call.params.get("tags", call.params.get("Tags"))
    pairs: dict[str, str] = {}
    if isinstance(tags, Mapping):
        pairs = {str(key): str(value) for key, value in tags.items()}
    elif isinstance(tags, list):
        for tag in tags:
            if isinstance(tag, Mapping):
                pairs[str(tag.get("key", tag.get("Key")))] = str(tag.get("value", tag.get("Value", "")))
    if not pairs:
        return {}
    return {
        **{f"aws:requesttag/{key.lower()}": value for key, value in pairs.items()},
        "aws:tagkeys": tuple(pairs),
    }
