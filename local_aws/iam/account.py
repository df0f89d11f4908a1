"""An account, and what policies are read from: MiniStack's stores, and our own services' answers."""

from collections.abc import Callable, Iterator
from functools import cached_property

from botocore.exceptions import ClientError

from local_aws.core.context import Context
from local_aws.iam.documents import parse
from local_aws.iam.evaluation import Policies, Policy
from local_aws.iam.principals import Caller, session
from local_aws.iam.resources import Place
from local_aws.ministack import iam as store

Text = store.Text

# Services whose resources have policies, and those whose policies have to allow even the owner's own.
ON_RESOURCES = frozenset({"ecr", "kms", "lambda", "logs", "s3", "sns", "sqs"})
REQUIRED = frozenset({"kms"})
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


class Account:
    """What is known to an account: its resources, and everybody's policies. Every look is at the present."""

    key_arn = staticmethod(store.key_arn)
    is_managed_key = staticmethod(store.is_managed_key)
    bucket_key = staticmethod(store.bucket_key)
    object_key = staticmethod(store.object_key)
    topic_key = staticmethod(store.topic_key)
    parameter_key = staticmethod(store.parameter_key)

    def __init__(
        self, context: Context, number: str, repository_policy: Callable[[str], Text | None]
    ) -> None:
        self.context = context
        self.number = number
        self._repository_policy = repository_policy
        # Neither a deployment's group nor a revision's roles ever change.
        self._groups: dict[str, str] = {}
        self._task_roles: dict[str, list[str]] = {}

    @cached_property
    def place(self) -> Place:
        """Where the account's ARNs are."""
        filters = {"deployment": self._deployment, "key": store.key_arn}
        return Place("aws", self.context.region, self.number, filters)

    def caller(self, access_key: str) -> Caller | None:
        """Return whom an access key was given out to, None for a key that is not known."""
        found = store.session(access_key)
        if found is None:
            return None
        caller = session(found.arn)
        role = self.role(caller.role_arn) if caller.role_arn else None
        return Caller(caller.arn, caller.account, role.arn) if role is not None else caller

    def role(self, arn: str) -> store.Entity | None:
        """Return the role of an ARN."""
        return store.role(arn.split(":")[4], arn.rpartition("/")[2])

    def policies(self, caller: Caller, action: str, resource: str, access_key: str) -> Policies:
        """Return all that applies to a request of a caller's."""
        name = caller.role_arn.rpartition("/")[2] or caller.arn.rpartition("/")[2]
        entity = self.role(caller.role_arn) if caller.role_arn else store.user(caller.account, name)
        identity: tuple[Policy, ...] = ()
        limits: list[tuple[str, tuple[Policy, ...]]] = []
        if caller.arn.endswith(":root"):
            # The account's owner: root may do everything, here as an administrator who can take on roles too.
            identity = (_policy("owner", EVERYTHING),)
        elif entity is not None and caller.account:
            identity = tuple(_policies(f"{'role' if caller.role_arn else 'user'} {name}", entity))
            if entity.boundary is not None:
                limits.append(("a permissions boundary", (_policy("boundary", entity.boundary),)))
        given = store.session(access_key) if access_key else None
        if given is not None and given.policies is not None:
            limits.append(("a session policy", tuple(_policy("session", text) for text in given.policies)))
        on_resource, required = self.resource_policy(action, resource)
        return Policies(identity, tuple(limits), on_resource, required)

    def resource_policy(self, action: str, resource: str) -> tuple[Policy | None, bool]:
        """Return the policy of what is asked for, and whether it has to allow."""
        service = action.partition(":")[0]
        if action.startswith("sts:AssumeRole"):
            role = self.role(resource)
            if role is None or role.trust is None:
                return None, True
            return _policy(f"trust {resource.rpartition('/')[2]}", role.trust), True
        if service not in ON_RESOURCES:
            return None, False
        text = (
            self._repository_policy(resource)
            if service == "ecr"
            else store.resource_policy(service, resource)
        )
        owner = resource.partition("/")[0] if service == "s3" else resource
        if service == "logs":
            owner = "logs"
        return (_policy(owner, text) if text is not None else None), service in REQUIRED

    def all_policies(self) -> Iterator[Policy]:
        """Yield the policies and the trust of every role."""
        for name, role in store.roles(self.number):
            yield from _policies(f"role {name}", role)
            if role.trust is not None:
                yield _policy(f"trust {name}", role.trust)

    def task_roles(self, task_definition: str) -> list[str]:
        """Return the roles that a task definition passes to its tasks."""
        if task_definition not in self._task_roles:
            ecs = self.context.client_of(self.number, "ecs")
            try:
                found = ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
            except ClientError:
                # The call itself will say so.
                return []
            roles = [found.get(name) for name in ("taskRoleArn", "executionRoleArn")]
            named = [str(role) for role in roles if role]
            if not task_definition.rpartition(":")[2].isdigit():
                return named
            self._task_roles[task_definition] = named
        return self._task_roles[task_definition]

    def deployment_config(self, application: str, group: str) -> str:
        """Return the configuration that a deployment group deploys with."""
        try:
            answer = self.context.client_of(self.number, "codedeploy").get_deployment_group(
                applicationName=application, deploymentGroupName=group
            )
        except ClientError:
            return ""
        return str(answer["deploymentGroupInfo"].get("deploymentConfigName", ""))

    def _deployment(self, deployment: str) -> str:
        """Return `application/group` of a deployment."""
        if deployment not in self._groups:
            try:
                found = self.context.client_of(self.number, "codedeploy").get_deployment(
                    deploymentId=deployment
                )
            except ClientError:
                return "*"
            about = found["deploymentInfo"]
            self._groups[deployment] = f"{about['applicationName']}/{about['deploymentGroupName']}"
        return self._groups[deployment]


def _policies(owner: str, entity: store.Entity) -> Iterator[Policy]:
    for name, text in entity.policies.items():
        yield _policy(f"{owner}: {name}", text)


def _policy(owner: str, text: Text) -> Policy:
    return Policy(owner, parse(text))
