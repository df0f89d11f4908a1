"""Joins the services: makes each of them, gives CloudFormation their types, and puts the gateway in front."""

import logging
from dataclasses import dataclass
from typing import Protocol

from local_aws import ministack
from local_aws.accounts import Accounts
from local_aws.codecommit import git_http
from local_aws.containers.engine import Containers
from local_aws.context import ACCOUNT, Context
from local_aws.elbv2.service import LoadBalancing
from local_aws.gateway import Gateway
from local_aws.iam.enforcement import Enforcer
from local_aws.ministack import cloudformation, cloudwatch, ecr, function_network, functions, iam

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
    containers: Containers

    def start(self) -> None:
        """Start what begins something once the port answers; what it raises ends the server."""
        self.load_balancing.start()

    def stop(self) -> None:
        """Stop every service, whatever becomes of one."""
        stopping: list[Stops] = [*self.accounts.stopping(), self.load_balancing, self.containers]
        for service in stopping:
            try:
                service.stop()
            except Exception as error:
                # The others must stop too; this one stays in the log and in the faults.
                logger.exception("stopping %s failed", type(service).__name__)
                self.context.faults.append(f"stop of {type(service).__name__}: {error!r}")


def install(context: Context, engine: Containers) -> Services:
    """Put our services behind MiniStack's gateway, and ours in front of it. Call it once a process."""
    from ministack.app import app

    # MiniStack's own parts work for whichever account asks.
    callers = context.acting_for(ministack.current_account)
    enforcer = Enforcer(callers)
    for one in (context, callers):
        one.assume, one.authorize, one.why_refused = enforcer.assume, enforcer.authorize, enforcer.why_refused
    iam.decide_across()
    accounts = Accounts(callers, engine)
    enforcer.policy_of_repository = accounts.policy_of_repository
    load_balancing = LoadBalancing(callers)
    for name in accounts.of(ACCOUNT).services:
        ministack.register_service(name, accounts.handle(name))
    ecr.route_registry(accounts.registry)
    ministack.route_event_targets("codepipeline", accounts.deliver)
    cloudformation.install(callers, [accounts, load_balancing])
    cloudwatch.install(callers)
    functions.install(callers)
    function_network.install(callers)
    git = git_http.GitHttp(accounts)
    gateway = Gateway(callers, app, git=git, addresses=load_balancing.addresses, enforcer=enforcer)
    return Services(context, gateway, accounts, load_balancing, engine)
