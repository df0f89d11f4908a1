"""What a task needs before its processes start, fetched as its execution role: image, secrets, log stream."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local_aws.containers.engine import ContainerSpec, PullError
from local_aws.containers.images.registry_client import Reference, is_ecr
from local_aws.core.context import Context, ServiceRole
from local_aws.services.ecs.records import Task
from local_aws.services.ecs.task_logs import LogStream
from local_aws.services.ecs.validation import size

if TYPE_CHECKING:
    from local_aws.services.ecs.state import EcsState


_NO_AUTH = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval"
)
_RETRIED = "service call has been retried 1 time(s)"


class StartError(Exception):
    """A task could not start; the text is its stoppedReason."""


def pull(ecs: "EcsState", task: Task) -> dict[str, str]:
    """Fetch the images of all containers; return the engine's ids by container name."""
    from local_aws.core.api import now

    with ecs.lock:
        task.content["pullStartedAt"] = now()
    images = {}
    for definition in task.definition["containerDefinitions"]:
        reference = definition["image"]
        login = _login(ecs.context, task, reference)
        images[definition["name"]] = ecs.containers.pull(reference, login)
        if "@" in reference:
            with ecs.lock:
                task.container(definition["name"])["imageDigest"] = reference.partition("@")[2]
    with ecs.lock:
        task.content["pullStoppedAt"] = now()
    return images


def _login(context: Context, task: Task, reference: str) -> str | None:
    """Ask ECR for a password, and whether this role may pull the image (as the agent's requests do)."""
    where = Reference.parse(reference)
    if not is_ecr(where.host):
        return None
    try:
        ecr = _client(context, task, "ecr")
        data = ecr.get_authorization_token()["authorizationData"][0]
    except ClientError as error:
        raise StartError(
            f"{_NO_AUTH} failed: unable to retrieve ecr registry auth: {_RETRIED}: {error}"
        ) from error
    image = {"imageDigest": where.digest} if where.digest else {"imageTag": where.tag}
    try:
        ecr.batch_get_image(registryId=where.account, repositoryName=where.repository, imageIds=[image])
    except ClientError as error:
        if error.response["Error"]["Code"].endswith("NotFoundException"):
            reason = f"{reference}: not found"
        else:
            reason = f"{reference}: unexpected status: 403 Forbidden: {error}"
        raise PullError(
            f"pull image manifest has been retried 1 time(s): failed to resolve ref {reference}: {reason}"
        ) from error
    return base64.b64decode(data["authorizationToken"]).decode()


def _role(task: Task, name: str) -> ServiceRole | None:
    """Return a role of the task's definition, as the task takes it on."""
    role = task.definition.get(name)
    return ServiceRole(role, "ecs-tasks", task.arn) if role else None


def _client(context: Context, task: Task, service: str) -> Any:
    """Return a client that acts as the task's execution role."""
    role = _role(task, "executionRoleArn")
    with _taken_on(role or ""):
        return context.client(service, role)


@contextmanager
def _taken_on(role: str) -> Iterator[None]:
    """Turn the refusal of a role that does not trust ECS's tasks into the task's stoppedReason."""
    try:
        yield
    except ClientError as error:
        raise StartError(
            f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that "
            "the role being passed has the proper trust relationship and permissions and that your IAM user "
            "has permissions to pass this role."
        ) from error


def open_log(context: Context, task: Task, definition: dict[str, Any]) -> LogStream | None:
    """Create a container's log stream, None without log configuration; raises `StartError`."""
    logs = definition.get("logConfiguration")
    if not logs:
        return None
    client = _client(context, task, "logs")
    try:
        return LogStream(client, logs.get("options", {}), definition["name"], task.id)
    except ClientError as error:
        about = error.response["Error"]
        raise StartError(
            "ResourceInitializationError: failed to validate logger args: create stream has been retried "
            f"1 times: failed to create Cloudwatch log stream: {about['Code']}: {about['Message']} "
            ": exit status 1"
        ) from error


def make_spec(
    context: Context, task: Task, definition: dict[str, Any], image: str, address: str
) -> ContainerSpec:
    """Return what the engine starts: the definition over the image, the task's overrides over both."""
    name = definition["name"]
    variables = {
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": context.region,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_ENDPOINT_URL": context.endpoint,
    }
    role = _role(task, "taskRoleArn")
    if role:
        # Fargate serves them on 169.254.170.2; a process of this machine has no such address.
        with _taken_on(role):
            variables |= context.credentials(role)
    for pair in (*definition.get("environment", []), *task.environment.get(name, [])):
        variables[pair["name"]] = pair.get("value", "")
    variables |= _secrets(context, task, definition)
    return ContainerSpec(
        image=image,
        name=name,
        command=tuple(task.commands.get(name) or definition.get("command", ())),
        entrypoint=tuple(definition.get("entryPoint", ())),
        environment=variables,
        working_directory=definition.get("workingDirectory", ""),
        address=address,
        user=definition.get("user", ""),
        read_only=definition.get("readonlyRootFilesystem", False),
        # A container without a limit of its own has its task's.
        memory=definition.get("memory") or size(task.definition.get("memory", "0")),
        cpu=definition.get("cpu") or size(task.definition.get("cpu", "0")),
    )


def _secrets(context: Context, task: Task, definition: dict[str, Any]) -> dict[str, str]:
    found = {}
    for secret in definition.get("secrets", []):
        source = secret["valueFrom"]
        if source.startswith("arn:") and ":ssm:" not in source:
            raise StartError(
                f"ResourceInitializationError: local_aws reads secrets of SSM only, not {source}"
            )
        name = source.partition(":parameter")[2] if source.startswith("arn:") else source
        try:
            ssm = _client(context, task, "ssm")
            found[secret["name"]] = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        except ClientError as error:
            raise StartError(
                f"{_NO_AUTH} failed: unable to retrieve secrets from ssm: {_RETRIED}: "
                f"{error.response['Error']['Code']}: {name}"
            ) from error
    return found
