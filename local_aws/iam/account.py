"""An account's policies and resources, from MiniStack's stores and our own services' APIs."""

from collections.abc import Callable, Iterator
from functools import cached_property

from botocore.exceptions import ClientError

from local_aws.core.context import Context
from local_aws.iam.documents import parse
from local_aws.iam.evaluation import Policies, Policy
from local_aws.iam.principals import Caller, session
from local_aws.iam.resources import ArnScope
from local_aws.ministack import encryption_keys, resource_policies
from local_aws.ministack import iam as store

Text = store.Text
# The kind of a boundary, with its article, and its documents.
Boundary = tuple[str, tuple[Policy, ...]]

# Services whose resources have policies, and those whose policies must allow their own account too.
ON_RESOURCES = frozenset({"ecr", "kms", "lambda", "logs", "s3", "sns", "sqs"})
REQUIRED = frozenset({"kms"})
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


class Account:
    """One account's resources and policies, read anew for each request."""

    key_arn = staticmethod(encryption_keys.key_arn)
    is_managed_key = staticmethod(encryption_keys.is_managed_key)
    bucket_key = staticmethod(encryption_keys.bucket_key)
    object_key = staticmethod(encryption_keys.object_key)
    topic_key = staticmethod(encryption_keys.topic_key)
    queue_key = staticmethod(encryption_keys.queue_key)
    parameter_key = staticmethod(encryption_keys.parameter_key)

    def __init__(
        self, context: Context, number: str, repository_policy: Callable[[str], Text | None]
    ) -> None:
        self.context = context
        self.number = number
        self._repository_policy = repository_policy
        # A deployment's group and a revision's roles never change.
        self._groups: dict[str, str] = {}
        self._task_roles: dict[str, list[str]] = {}

    @cached_property
    def arn_scope(self) -> ArnScope:
        """The partition, region and account of the ARNs."""
        filters = {
            "deployment": self._deployment,
            "key": encryption_keys.key_arn,
            "pullrequest": lambda number: self._pull_request(number)[0],
            "pullrequestbranch": lambda number: self._pull_request(number)[1],
        }
        return ArnScope("aws", self.context.region, self.number, filters)

    def caller(self, access_key: str) -> Caller | None:
        """Return the caller that an access key was issued to, or None."""
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
        """Return all policies that apply to a caller's request."""
        identity, boundaries = self._identity_policies(caller)
        session = store.session(access_key) if access_key else None
        if session is not None and session.policies is not None:
            documents = tuple(_policy("session", text) for text in session.policies)
            boundaries = [*boundaries, ("a session policy", documents)]
        on_resource, required = self.resource_policy(action, resource)
        return Policies(identity, tuple(boundaries), on_resource, required)

    def _identity_policies(self, caller: Caller) -> tuple[tuple[Policy, ...], list[Boundary]]:
        """Return a caller's own policies, and its permissions boundary if it has one."""
        if caller.arn.endswith(":root"):
            # The root user may do everything; here it may also assume roles, as an administrator may.
            return (_policy("owner", EVERYTHING),), []
        kind, arn = ("role", caller.role_arn) if caller.role_arn else ("user", caller.arn)
        name = arn.rpartition("/")[2]
        entity = self.role(arn) if kind == "role" else store.user(caller.account, name)
        if entity is None or not caller.account:
            return (), []
        boundaries: list[Boundary] = []
        if entity.boundary is not None:
            boundaries.append(("a permissions boundary", (_policy("boundary", entity.boundary),)))
        return tuple(_policies(f"{kind} {name}", entity)), boundaries

    def resource_policy(self, action: str, resource: str) -> tuple[Policy | None, bool]:
        """Return the policy of a resource, and whether it must allow the request."""
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
            else resource_policies.resource_policy(service, resource)
        )
        owners = {"s3": resource.partition("/")[0], "logs": "logs"}
        policy = None if text is None else _policy(owners.get(service, resource), text)
        # Listing and creating keys is about no key, and needs the caller's own policy only.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
        # A key always has a policy: without one, it does not exist, as the service says itself.
        is_missing = text is None and f":{self.number}:" in resource
        return policy, service in REQUIRED and ":key/" in resource and not is_missing

    def all_policies(self) -> Iterator[Policy]:
        """Yield the policies and the trust policy of every role."""
        for name, role in store.roles(self.number):
            yield from _policies(f"role {name}", role)
            if role.trust is not None:
                yield _policy(f"trust {name}", role.trust)

    def task_roles(self, task_definition: str) -> list[str]:
        """Return the roles of a task definition."""
        if task_definition not in self._task_roles:
            ecs = self.context.client_of(self.number, "ecs")
            try:
                found = ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
            except ClientError:
                # The call itself returns the error.
                return []
            roles = [found.get(name) for name in ("taskRoleArn", "executionRoleArn")]
            named = [str(role) for role in roles if role]
            if not task_definition.rpartition(":")[2].isdigit():
                return named
            self._task_roles[task_definition] = named
        return self._task_roles[task_definition]

    def deployment_config(self, application: str, group: str) -> str:
        """Return the deployment configuration of a deployment group."""
        try:
            answer = self.context.client_of(self.number, "codedeploy").get_deployment_group(
                applicationName=application, deploymentGroupName=group
            )
        except ClientError:
            return ""
        return str(answer["deploymentGroupInfo"].get("deploymentConfigName", ""))

    def _pull_request(self, number: str) -> tuple[str, str]:
        """Return the repository of a pull request, and the reference that it is to be merged into."""
        try:
            found = self.context.client_of(self.number, "codecommit").get_pull_request(pullRequestId=number)
        except ClientError:
            return "*", ""
        target = found["pullRequest"]["pullRequestTargets"][0]
        return target["repositoryName"], target["destinationReference"]

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
