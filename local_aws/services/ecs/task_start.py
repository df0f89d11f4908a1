"""Prepares a task, as its execution role: images, secrets, log streams."""

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from local_aws.containers.engine import ContainerSpec, PullError
from local_aws.containers.images.registry_client import Reference, is_ecr
from local_aws.core.api import now
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.services.ecs.errors import TaskStartError
from local_aws.services.ecs.fargate_validation import size
from local_aws.services.ecs.metadata import VARIABLE, metadata_path
from local_aws.services.ecs.records import Task
from local_aws.services.ecs.state import EcsState
from local_aws.services.ecs.task_logs import LogStream

_NO_AUTH = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval"
)
# GetParameters takes ten.
PARAMETERS_AT_ONCE = 10
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
SENT = {"taskRoleArn": Source.ACCOUNT_AND_ARN, "executionRoleArn": Source.NONE}
_RETRIED = "service call has been retried 1 time(s)"


def pull(ecs: EcsState, task: Task) -> dict[str, str]:
    """Pull the images of all containers; return the engine's image ids by container name."""
    with ecs.lock:
        task.content["pullStartedAt"] = now()
    images = {}
    for definition in task.definition["containerDefinitions"]:
        reference = definition["image"]
        login, digest = _login(ecs.context, task, reference)
        images[definition["name"]] = ecs.containers.pull(reference, login)
        if digest:
            with ecs.lock:
                task.container(definition["name"])["imageDigest"] = digest
    with ecs.lock:
        task.content["pullStoppedAt"] = now()
    return images


def _login(context: Context, task: Task, reference: str) -> tuple[str | None, str | None]:
    """Return a password from ECR and the image's digest, once this role has permission to pull the image.

    Of an image in another registry, only a digest in its reference is known.
    """
    where = Reference.parse(reference)
    if not is_ecr(where.host):
        return None, where.digest
    try:
        ecr = _client(context, task, "ecr")
        data = ecr.get_authorization_token()["authorizationData"][0]
    except ClientError as error:
        raise TaskStartError(
            f"{_NO_AUTH} failed: unable to retrieve ecr registry auth: {_RETRIED}: {error}"
        ) from error
    image = {"imageDigest": where.digest} if where.digest else {"imageTag": where.tag}
    try:
        found = ecr.batch_get_image(
            registryId=where.account, repositoryName=where.repository, imageIds=[image]
        )
    except ClientError as error:
        if error.response["Error"]["Code"].endswith("NotFoundException"):
            reason = f"{reference}: not found"
        else:
            reason = f"{reference}: unexpected status: 403 Forbidden: {error}"
        raise PullError(
            f"pull image manifest has been retried 1 time(s): failed to resolve ref {reference}: {reason}"
        ) from error
    digests = [one["imageId"]["imageDigest"] for one in found["images"]]
    return base64.b64decode(data["authorizationToken"]).decode(), next(iter(digests), None)


def _role(task: Task, name: str) -> ServiceRole | None:
    """Return a role of the task definition, assumed for this task."""
    role = task.definition.get(name)
    return ServiceRole(role, "ecs-tasks", task.arn, SENT[name]) if role else None


def _client(context: Context, task: Task, service: str) -> Any:
    """Return a client that acts as the task's execution role."""
    role = _role(task, "executionRoleArn")
    with _assumed(role or ""):
        return context.client(service, role)


@contextmanager
def _assumed(role: str) -> Iterator[None]:
    """Turn the error of a role that ECS tasks cannot assume into the task's stoppedReason."""
    try:
        yield
    except ClientError as error:
        raise TaskStartError(
            f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that "
            "the role being passed has the proper trust relationship and permissions and that your IAM user "
            "has permissions to pass this role."
        ) from error


def open_log(context: Context, task: Task, definition: dict[str, Any]) -> LogStream | None:
    """Create a container's log stream; return None without log configuration. Raises `TaskStartError`."""
    logs = definition.get("logConfiguration")
    if not logs:
        return None
    client = _client(context, task, "logs")
    try:
        return LogStream(client, logs.get("options", {}), definition["name"], task.id)
    except ClientError as error:
        about = error.response["Error"]
        raise TaskStartError(
            "ResourceInitializationError: failed to validate logger args: create stream has been retried "
            f"1 times: failed to create Cloudwatch log stream: {about['Code']}: {about['Message']} "
            ": exit status 1"
        ) from error


def make_spec(
    context: Context,
    task: Task,
    definition: dict[str, Any],
    *,
    image: str,
    address: str,
    secrets: Mapping[str, str],
) -> ContainerSpec:
    """Return the container to start: the definition overrides the image, the task overrides both."""
    name = definition["name"]
    return ContainerSpec(
        image=image,
        name=name,
        command=tuple(task.commands.get(name) or definition.get("command", ())),
        entrypoint=tuple(definition.get("entryPoint", ())),
        environment=_variables(context, task, definition, secrets),
        working_directory=definition.get("workingDirectory", ""),
        address=address,
        user=definition.get("user", ""),
        read_only=definition.get("readonlyRootFilesystem", False),
        # A container without a limit has the task's limit.
        memory=definition.get("memory") or size(task.definition.get("memory", "0")),
        cpu=definition.get("cpu") or size(task.definition.get("cpu", "0")),
    )


def _variables(
    context: Context, task: Task, definition: dict[str, Any], secrets: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of a container: Fargate's variables, the definition's, the task's, secrets."""
    name = definition["name"]
    variables = {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": context.region,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_ENDPOINT_URL": context.endpoint,
        VARIABLE: f"{context.endpoint}{metadata_path(task, name)}",
    }
    role = _role(task, "taskRoleArn")
    if role:
        # Fargate serves credentials on 169.254.170.2, which processes of this machine cannot reach.
        with _assumed(role):
            variables |= context.credentials(role)
    for pair in (*definition.get("environment", []), *task.environment.get(name, [])):
        variables[pair["name"]] = pair.get("value", "")
    for secret in definition.get("secrets", []):
        variables[secret["name"]] = secrets[secret["valueFrom"]]
    return variables


def read_secrets(context: Context, task: Task) -> dict[str, str]:
    """Return the values of the secrets of all containers, by their `valueFrom`. Raises `TaskStartError`.

    As on Fargate, before an image is pulled.
    """
    containers = task.definition["containerDefinitions"]
    names = {one["valueFrom"]: "" for each in containers for one in each.get("secrets", [])}
    for source in names:
        names[source] = _parameter_name(source)
    values = _parameters(context, task, list(dict.fromkeys(names.values()))) if names else {}
    return {source: values[name] for source, name in names.items()}


def _parameter_name(source: str) -> str:
    """Return the name of a parameter from its name or ARN."""
    if not source.startswith("arn:"):
        return source
    if ":ssm:" not in source:
        raise TaskStartError(
            f"ResourceInitializationError: local_aws reads secrets of SSM only, not {source}"
        )
    return source.partition(":parameter")[2]


def _parameters(context: Context, task: Task, names: list[str]) -> dict[str, str]:
    """Read parameters in ECS's own words for what fails."""
    ssm = _client(context, task, "ssm")
    values: dict[str, str] = {}
    missing: list[str] = []
    failed = f"{_NO_AUTH} failed: unable to retrieve secrets from ssm: {_RETRIED}"
    for start in range(0, len(names), PARAMETERS_AT_ONCE):
        batch = names[start : start + PARAMETERS_AT_ONCE]
        try:
            found = ssm.get_parameters(Names=batch, WithDecryption=True)
        except ClientError as error:
            about = error.response["Error"]
            raise TaskStartError(f"{failed}: {about['Code']}: {about['Message']}") from error
        values |= {one["Name"]: one["Value"] for one in found["Parameters"]}
        missing += found["InvalidParameters"]
    if missing:
        raise TaskStartError(f"{failed}: invalid ssm parameters: {', '.join(missing)}")
    return values
