"""Joins the services: makes each of them, gives CloudFormation their types, and puts the gateway in front."""

import logging
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from local_aws import ministack
from local_aws.containers.engine import ContainerEngine
from local_aws.core.context import ACCOUNT, Context
from local_aws.iam import documents
from local_aws.iam.enforcement import Enforcer
from local_aws.ministack import (
    cloudformation,
    cloudwatch,
    ecr,
    function_network,
    functions,
    iam,
    resume_stacks,
    stores,
    trust_policies,
)
from local_aws.persistence import snapshots
from local_aws.persistence.durability import DurabilityMiddleware
from local_aws.persistence.snapshots import Memory
from local_aws.server.accounts import Accounts
from local_aws.server.gateway import Gateway
from local_aws.services.codecommit import git_http
from local_aws.services.elbv2.service import LoadBalancing

logger = logging.getLogger("local_aws")


class Stops(Protocol):
    """A service that has something to end. It must end it quickly."""

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Services:
    """What serves: the gateway, and the services with a life of their own."""

    context: Context
    gateway: Gateway
    accounts: Accounts
    load_balancing: LoadBalancing
    containers: ContainerEngine
    memory: Memory

    def restore(self, kept: Mapping[str, bytes]) -> None:
        """Take back what an earlier local_aws kept, before the port answers. Raises `LocalAwsError`."""
        for name in kept:
            if "/" in name:
                self.accounts.of(name.partition("/")[0])
        try:
            for name, part in self.memory.parts():
                snapshots.load(part, kept[name])
        except (AttributeError, ImportError, LookupError, TypeError, pickle.UnpicklingError) as error:
            # Records are kept as they are, and these were others.
            raise snapshots.unreadable(self.context.state) from error
        resume_stacks.resume()

    def start(self, *, again: bool) -> None:
        """Start what begins something once the port answers; what it raises ends the server.

        `again`: go on with what was restored.
        """
        self.load_balancing.start()
        if again:
            self.accounts.resume()
        self.context.spawn("memory", self.memory.run)

    def stop(self) -> None:
        """Stop every service, whatever becomes of one; what is kept is what there was before."""
        stopping: list[Stops] = [self.memory, *self.accounts.stopping(), self.load_balancing, self.containers]
        for service in stopping:
            try:
                service.stop()
            except Exception as error:
                # The others must stop too; this one stays in the log and in the faults.
                logger.exception("stopping %s failed", type(service).__name__)
                self.context.faults.append(f"stop of {type(service).__name__}: {error!r}")


def parts(
    accounts: Accounts, load_balancing: LoadBalancing, points: stores.Points
) -> Iterator[tuple[str, snapshots.Part]]:
    """Yield what is kept. CloudFormation is read late: it may know of too much, but not of too little."""
    for account, one in accounts.known().items():
        yield from ((f"{account}/{name}", service) for name, service in one.services.items())
    yield "ministack", stores.Stores()
    yield "points", points
    yield "elbv2", load_balancing


def install(context: Context, engine: ContainerEngine) -> Services:
    """Put our services behind MiniStack's gateway, and ours in front of it. Call it once a process."""
    from ministack.app import app

    # MiniStack's own parts work for whichever account asks.
    callers = context.for_account(ministack.current_account)
    enforcer = Enforcer(callers)
    for one in (context, callers):
        one.assume, one.authorize, one.denial_reason = (
            enforcer.assume,
            enforcer.authorize,
            enforcer.denial_reason,
        )
    iam.patch_cross_account_buckets()
    trust_policies.patch_trust_policy_validation(documents.parse)
    accounts = Accounts(callers, engine)
    enforcer.policy_of_repository = accounts.policy_of_repository
    load_balancing = LoadBalancing(callers)
    for name in accounts.of(ACCOUNT).services:
        ministack.register_service(name, accounts.handle(name))
    ecr.route_registry(accounts.registry)
    ministack.route_event_targets("codepipeline", accounts.deliver)
    cloudformation.patch_cloudformation(callers, [accounts, load_balancing])
    cloudwatch.patch_alarm_evaluation(callers)
    functions.patch_function_credentials(callers)
    function_network.patch_function_proxy(callers)
    kept = Memory(context, partial(parts, accounts, load_balancing, stores.Points()))
    gateway = Gateway(
        callers,
        DurabilityMiddleware(app, kept.saved),
        git=git_http.GitHttp(accounts),
        addresses=load_balancing.addresses,
        enforcer=enforcer,
    )
    return Services(context, gateway, accounts, load_balancing, engine, kept)
