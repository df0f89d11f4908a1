"""Builds the application: every service, CloudFormation's resource types, and the gateway in front."""

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
from local_aws.iam.service_principals import is_service_principal
from local_aws.ministack import (
    cloudformation,
    cloudwatch,
    ecr,
    elbv2,
    elbv2_snapshot,
    event_delivery,
    function_network,
    function_processes,
    function_states,
    functions,
    key_deletion,
    log_limits,
    managed_policies,
    parameter_events,
    parameter_history,
    parameter_tags,
    passed_through,
    public_parameters,
    request_checks,
    resource_policies,
    resource_policy_checks,
    resume_stacks,
    schedules,
    service_linked_roles,
    stores,
    traces,
    trust_policies,
    unknown_operations,
)
from local_aws.ministack.deleted_stacks import DeletedStacks
from local_aws.persistence import snapshots
from local_aws.persistence.durability import DurabilityMiddleware
from local_aws.persistence.snapshots import Persistable, SnapshotWriter
from local_aws.server.accounts import Accounts
from local_aws.server.checked_requests import error_response, read_request
from local_aws.server.gateway import Gateway
from local_aws.server.passed_through import CHECKED, PassedThrough
from local_aws.services.codecommit import git_http
from local_aws.services.elbv2.service import LoadBalancing

logger = logging.getLogger("local_aws")

# Records are pickled as they are: those of another version have other modules or attributes.
UNREADABLE = (AttributeError, ImportError, LookupError, TypeError, ValueError, pickle.UnpicklingError)


class Stoppable(Protocol):
    """A service with threads, processes or containers to end. It must stop quickly."""

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Services:
    """The gateway, and the services that run outside requests too."""

    context: Context
    gateway: Gateway
    accounts: Accounts
    load_balancing: LoadBalancing
    containers: ContainerEngine
    snapshot_writer: SnapshotWriter

    def restore(self, contents: Mapping[str, bytes]) -> None:
        """Restore a snapshot, before the first request. Raises `LocalAwsError`."""
        try:
            for name in contents:
                if "/" in name:
                    self.accounts.of(name.partition("/")[0])
            for name, persistable in self.snapshot_writer.persistables():
                # Telemetry is saved later than what it is about; states of earlier versions lack a file.
                if name in contents or name not in snapshots.FILES_OF_THEIR_OWN:
                    snapshots.load(persistable, contents[name])
        except UNREADABLE as error:
            raise snapshots.unreadable(self.context.state) from error
        resume_stacks.resume()

    def start(self, *, resume: bool) -> None:
        """Start the services when the port responds; `resume` what was restored. An error ends the server."""
        self.load_balancing.start()
        if resume:
            self.accounts.resume()
        self.context.spawn("snapshots", self.snapshot_writer.run)

    def stop(self) -> None:
        """Write the last snapshot, then stop every service even if one fails."""
        stopping: list[Stoppable] = [
            self.snapshot_writer,
            *self.accounts.stoppable_services(),
            self.load_balancing,
            self.containers,
        ]
        for service in stopping:
            try:
                service.stop()
            except Exception as error:
                # The others must stop too; the log and the background errors report this one.
                logger.exception("stopping %s failed", type(service).__name__)
                self.context.background_errors.append(f"stop of {type(service).__name__}: {error!r}")


def persistables(
    accounts: Accounts, load_balancing: LoadBalancing, deleted: DeletedStacks
) -> Iterator[tuple[str, Persistable]]:
    """Yield the state to save. CloudFormation comes last: no saved resource may lack its stack."""
    for number, account in accounts.existing().items():
        yield from ((f"{number}/{name}", service) for name, service in account.services.items())
    yield "ministack", stores.Stores(deleted)
    yield snapshots.DELETED_STACKS, deleted
    yield snapshots.TELEMETRY, stores.Telemetry()
    yield "elbv2", load_balancing


def _patch_iam_and_keys(callers: Context) -> None:
    key_deletion.patch_key_deletion(callers.clock)
    resource_policies.patch_cross_account_access()
    service_linked_roles.patch_service_linked_roles()
    trust_policies.patch_policy_validation(documents.parse, is_service_principal)
    managed_policies.patch_managed_policies()
    resource_policy_checks.patch_resource_policies(is_service_principal)


def _patch_functions(callers: Context) -> None:
    functions.patch_function_credentials(callers)
    functions.patch_function_keys()
    function_network.patch_function_proxy(callers)
    function_processes.patch_function_processes(callers)
    event_delivery.patch_failed_invocations()


def _patch_monitoring(callers: Context, accounts: Accounts) -> None:
    cloudwatch.patch_alarm_evaluation(callers, accounts.scale)
    traces.patch_traces()
    log_limits.patch_log_limits()


def _patch_parameters(callers: Context) -> None:
    parameter_history.patch_parameter_history(callers.identity)
    parameter_events.patch_parameter_events()
    parameter_tags.patch_parameter_tags()
    public_parameters.patch_public_parameters()


def _register(accounts: Accounts) -> PassedThrough:
    """Register our services in MiniStack; return the record of the operations that are its own."""
    ours = accounts.of(ACCOUNT).services
    for name in ours:
        ministack.register_service(name, accounts.handle(name))
    unknown_operations.patch_unknown_operations()
    request_checks.patch_request_checks(read_request, error_response)
    passed = PassedThrough()
    passed_through.patch_passed_through(CHECKED | ours.keys(), passed.record)
    return passed


def build_application(context: Context, engine: ContainerEngine) -> Services:
    """Register our services with MiniStack, and put our gateway in front of it. Call it once a process."""
    from ministack.app import app

    # MiniStack's own services work for the account of the current request.
    callers = context.for_account(ministack.current_account)
    enforcer = Enforcer(callers)
    for one in (context, callers):
        one.assume, one.authorize = enforcer.assume, enforcer.authorize
        one.denial_reason, one.identity = enforcer.denial_reason, enforcer.identity
        one.create_service_linked_role = enforcer.create_service_linked_role
    _patch_iam_and_keys(callers)
    accounts = Accounts(callers, engine)
    enforcer.policy_of_repository = accounts.policy_of_repository
    load_balancing = LoadBalancing(callers, elbv2_snapshot.current)
    elbv2.patch_elbv2(callers, load_balancing.apply, load_balancing.describe_health)
    passed = _register(accounts)
    ecr.route_registry(accounts.registry)
    for target in ("codebuild", "codepipeline"):
        ministack.route_event_targets(target, accounts.deliver)
    states = function_states.FunctionStates(context.clock)
    cloudformation.patch_cloudformation(callers, [accounts, load_balancing], states)
    function_states.patch_function_states(states)
    schedules.patch_schedules(callers, states)
    _patch_monitoring(callers, accounts)
    _patch_parameters(callers)
    _patch_functions(callers)
    writer = SnapshotWriter(context, partial(persistables, accounts, load_balancing, DeletedStacks()))
    gateway = Gateway(
        callers,
        DurabilityMiddleware(app, writer.saved),
        git=git_http.GitHttp(accounts, enforcer.git_caller, enforcer.git_denial),
        addresses=load_balancing.addresses,
        authorizer=enforcer,
        skip_days=partial(schedules.skip_days, context.clock),
        plant_findings=accounts.plant_findings,
        passed_through=passed.operations,
        task_metadata=accounts.task_metadata,
    )
    return Services(context, gateway, accounts, load_balancing, engine, writer)
