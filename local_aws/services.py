"""Joins the services: makes each of them, gives CloudFormation their types, and puts the gateway in front."""

import logging
from dataclasses import dataclass
from typing import Any, Protocol

from local_aws import ministack
from local_aws.codebuild.service import CodeBuild
from local_aws.codecommit import git_http
from local_aws.codecommit.service import CodeCommit
from local_aws.codedeploy.service import CodeDeploy
from local_aws.codepipeline.service import CodePipeline
from local_aws.containers.engine import Containers
from local_aws.context import Context
from local_aws.ecr.service import Ecr
from local_aws.ecs.service import Ecs
from local_aws.elbv2.service import LoadBalancing
from local_aws.gateway import Gateway
from local_aws.iam.account import Account
from local_aws.iam.enforcement import Enforcer
from local_aws.ministack import cloudformation, cloudwatch, function_network, functions
from local_aws.service_quotas import ServiceQuotas

logger = logging.getLogger("local_aws")


class Starts(Protocol):
    """A service that begins something once the port answers."""

    def start(self) -> None: ...


class Stops(Protocol):
    """A service that has something to end. It must end it quickly."""

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Services:
    """What serves: the gateway, and the services with a life of their own."""

    context: Context
    gateway: Gateway
    containers: Containers
    starting: tuple[Starts, ...]
    # In this order: who drives others ends first.
    stopping: tuple[Stops, ...]

    def start(self) -> None:
        """Start every service; what one raises ends the server."""
        for service in self.starting:
            service.start()

    def stop(self) -> None:
        """Stop every service, whatever becomes of one."""
        for service in self.stopping:
            try:
                service.stop()
            except Exception as error:
                # The others must stop too; this one stays in the log and in the faults.
                logger.exception("stopping %s failed", type(service).__name__)
                self.context.faults.append(f"stop of {type(service).__name__}: {error!r}")


def install(context: Context, engine: Containers) -> Services:
    """Put our services behind MiniStack's gateway, and ours in front of it. Call it once a process."""
    from ministack.app import app

    ecr = Ecr(context)
    enforcer = Enforcer(context, Account(context, ecr.policy_of))
    context.assume, context.authorize = enforcer.assume, enforcer.authorize
    context.why_refused = enforcer.why_refused
    codecommit = CodeCommit(context)
    codebuild = CodeBuild(context, engine)
    ecs = Ecs(context, engine)
    load_balancing = LoadBalancing(context)
    codedeploy = CodeDeploy(context)
    codepipeline = CodePipeline(context, archive=codecommit.archive)
    services: list[Any] = [codecommit, codebuild, ecr, ecs, codedeploy, codepipeline, ServiceQuotas(context)]
    for service in services:
        ministack.register_service(service)
    ministack.route_event_targets("codepipeline", codepipeline.deliver)
    cloudformation.install(context, [*services, load_balancing])
    cloudwatch.install(context)
    functions.install(context)
    function_network.install(context)
    return Services(
        context,
        Gateway(context, app, git=git_http.app, addresses=load_balancing.addresses, enforcer=enforcer),
        engine,
        starting=(ecr, load_balancing),
        stopping=(codepipeline, codedeploy, codebuild, ecs, load_balancing, engine),
    )
