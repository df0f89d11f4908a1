"""The accounts: each has its own services, and a call goes to those of the caller's account."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from local_aws import ministack
from local_aws.containers.engine import ContainerEngine
from local_aws.core.api import JsonService, Response
from local_aws.core.cloudformation import Properties, ResourceType
from local_aws.core.context import ACCOUNT, Context
from local_aws.services.application_autoscaling.service import ApplicationAutoScaling
from local_aws.services.codebuild.service import CodeBuild
from local_aws.services.codecommit.service import CodeCommit
from local_aws.services.codedeploy.service import CodeDeploy
from local_aws.services.codepipeline.service import CodePipeline
from local_aws.services.ecr.records import Login, PlantedFinding
from local_aws.services.ecr.service import Ecr
from local_aws.services.ecr_public.registry import PREFIX, PublicRegistry
from local_aws.services.ecr_public.service import EcrPublic
from local_aws.services.ecs.metadata import metadata
from local_aws.services.ecs.service import Ecs
from local_aws.services.service_quotas.service import ServiceQuotas

_ACCOUNT = re.compile(r"[0-9]{12}")
# A call to ECR may name the registry of another account.
_REGISTRY_ID = re.compile(rb'"registryId":\s*"(\d{12})"')
# The path of an image begins with its account.
_REGISTRY = re.compile(r"/v2/(\d{12})/")


@dataclass(frozen=True)
class AccountServices:
    """The services of account account."""

    context: Context
    codecommit: CodeCommit
    codebuild: CodeBuild
    ecr: Ecr
    ecr_public: EcrPublic
    ecs: Ecs
    codedeploy: CodeDeploy
    codepipeline: CodePipeline
    quotas: ServiceQuotas
    scaling: ApplicationAutoScaling

    @classmethod
    def create(
        cls,
        context: Context,
        engine: ContainerEngine,
        logins: dict[str, Login],
        public_registry: PublicRegistry,
        planted: Sequence[PlantedFinding] = (),
    ) -> "AccountServices":
        """Create the services; a login to account account's registry is valid for all."""
        codecommit = CodeCommit(context)
        return cls(
            context,
            codecommit,
            CodeBuild(context, engine),
            Ecr(context, logins, planted),
            EcrPublic(context, public_registry),
            Ecs(context, engine),
            CodeDeploy(context),
            CodePipeline(context, archive=codecommit.archive),
            ServiceQuotas(context),
            ApplicationAutoScaling(context),
        )

    @cached_property
    def services(self) -> dict[str, JsonService]:
        """The services by name."""
        services = (self.codecommit, self.codebuild, self.ecr, self.ecs, self.codedeploy, self.codepipeline)
        return {
            service.service: service for service in (*services, self.ecr_public, self.quotas, self.scaling)
        }

    @cached_property
    def types(self) -> dict[str, ResourceType]:
        """The CloudFormation resource types of all services."""
        found: dict[str, ResourceType] = {}
        for service in self.services.values():
            if hasattr(service, "resource_types"):
                found |= service.resource_types()
        return found


class Accounts:
    """All accounts; each is created when it is first used."""

    def __init__(self, context: Context, engine: ContainerEngine) -> None:
        self.context = context
        self.engine = engine
        self._logins: dict[str, Login] = {}
        self._planted: list[PlantedFinding] = []
        self._public_registry = PublicRegistry()
        self._accounts: dict[str, AccountServices] = {}
        self._lock = threading.RLock()
        self.of(ACCOUNT)

    def of(self, account: str) -> AccountServices:
        """Return the services of an account, which names a folder. Raises `ValueError`."""
        if not _ACCOUNT.fullmatch(account):
            raise ValueError(f"{account!r} is not an account of twelve digits")
        with self._lock:
            if account not in self._accounts:
                state = self.context.state if account == ACCOUNT else self.context.state / account
                context = self.context.for_account(lambda: account, state)
                context.emit = partial(ministack.emit_event, account)
                self._accounts[account] = AccountServices.create(
                    context, self.engine, self._logins, self._public_registry, self._planted
                )
            return self._accounts[account]

    def current(self) -> AccountServices:
        """Return the services of the account of the current request or stack."""
        return self.of(self.context.account_provider())

    def existing(self) -> dict[str, AccountServices]:
        """Return the services of every account that exists, by account number."""
        with self._lock:
            return dict(self._accounts)

    def resume(self) -> None:
        """Resume restored work; a service that others call comes before them."""
        for account in self.existing().values():
            called_first = (account.ecs, account.codebuild, account.codedeploy)
            for service in (*called_first, account.codepipeline, account.codecommit):
                service.resume()

    def handle(self, service: str) -> Callable[..., Any]:
        """Return the handler of a service, which routes each request to the caller's account."""

        async def handle(
            method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
        ) -> Response:
            named = _REGISTRY_ID.search(body) if service == "ecr" else None
            account = self.of(named[1].decode()) if named else self.current()
            return await account.services[service].handle(method, path, headers, body, query)

        return handle

    async def registry(self, method: str, path: str, *rest: Any) -> Response:
        """Handle a request to the public registry, or to the registry of the account in its path."""
        if path.startswith(PREFIX):
            headers: dict[str, str] = {name.lower(): value for name, value in rest[0].items()}
            return self._public_registry.answer(path, headers.get("authorization", ""))
        found = _REGISTRY.match(path)
        account = self.of(found[1]) if found else self.current()
        return await account.ecr.registry.handle(method, path, *rest)

    def resource_types(self) -> dict[str, ResourceType]:
        """Return the CloudFormation resource types, which act in the account of the stack."""
        return {name: self._of_current_account(name, each) for name, each in self.of(ACCOUNT).types.items()}

    def _of_current_account(self, name: str, resource_type: ResourceType) -> ResourceType:
        def create(props: Properties, logical_id: str, stack: str) -> tuple[str, dict[str, Any]]:
            return self.current().types[name].create(props, logical_id, stack)

        def delete(physical_id: str, props: Properties) -> None:
            self.current().types[name].delete(physical_id, props)

        def update(physical_id: str, old: Properties, new: Properties) -> dict[str, Any]:
            handler = self.current().types[name].update
            if handler is None:
                raise TypeError(f"{name} cannot be updated")
            return handler(physical_id, old, new)

        return ResourceType(
            create, delete, update if resource_type.update else None, resource_type.replaced_by
        )

    def deliver(self, arn: str, target: dict[str, Any]) -> None:
        """Start the pipeline or the build that is an event's target."""
        service, account = arn.split(":")[2], arn.split(":")[4]
        owner = self.existing().get(account)
        if owner is not None:
            deliver = owner.codebuild.deliver if service == "codebuild" else owner.codepipeline.deliver
            deliver(arn, target)

    def scale(self, policy_arn: str, alarm_name: str, metric: float) -> None:
        """Let a scaling policy act on the metric of its alarm, on a thread of its own."""
        owner = self.existing().get(policy_arn.split(":")[4])
        if owner is not None:
            owner.context.spawn("scaling", owner.scaling.execute, policy_arn, alarm_name, metric)

    def policy_of_repository(self, arn: str) -> str | None:
        """Return the policy of an image repository by its ARN, or None."""
        head, named, _ = arn.partition(":repository/")
        owner = self.existing().get(head.rpartition(":")[2]) if named else None
        return owner.ecr.policy_of(arn) if owner is not None else None

    def task_metadata(self, path: str) -> dict[str, Any] | None:
        """Return what the task metadata endpoint has at `TASK/CONTAINER` or `TASK/CONTAINER/task`."""
        identifier, _, rest = path.partition("/")
        name, _, what = rest.partition("/")
        for account in self.existing().values():
            with account.ecs.lock:
                task = next((each for each in account.ecs.tasks.values() if each.id == identifier), None)
                if task is not None:
                    return metadata(task, name, what)
        return None

    def plant_findings(self, given: object) -> int:
        """Replace what image scans report, in every account; return the number. Raises ValueError."""
        if not isinstance(given, list):
            raise ValueError("findings must be a list")
        self._planted[:] = [PlantedFinding.read(one) for one in given]
        return len(self._planted)

    def git_directory(self, name: str) -> Path | None:
        """Return the folder of the repository `name`, or None; a clone URL names no account."""
        found = (account.codecommit.git_directory(name) for account in self.existing().values())
        return next((path for path in found if path is not None), None)

    def repository_arn(self, name: str) -> str:
        """Return the ARN of the repository `name` that a clone URL leads to."""
        owners = (one for one in self.existing().values() if one.codecommit.git_directory(name) is not None)
        return next((one.codecommit.repository_arn(name) for one in owners), "")

    def pushed(self, name: str) -> None:
        """Emit the events of a push."""
        for account in self.existing().values():
            if account.codecommit.git_directory(name) is not None:
                account.codecommit.pushed(name)
                return

    def stoppable_services(self) -> Iterator[CodePipeline | CodeDeploy | CodeBuild | Ecs]:
        """Yield the services to stop; a service that calls others comes before them."""
        for account in self.existing().values():
            yield from (account.codepipeline, account.codedeploy, account.codebuild, account.ecs)
