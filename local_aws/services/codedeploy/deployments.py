"""All deployments: run on threads, rolled back as configured, with their events for EventBridge."""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.core.context import Context
from local_aws.services.codedeploy.deployment_config import DeploymentConfig
from local_aws.services.codedeploy.deployment_run import DeploymentRun
from local_aws.services.codedeploy.errors import DeploymentEndedError, ServerStoppedError
from local_aws.services.codedeploy.hooks import Hooks
from local_aws.services.codedeploy.records import Deployment, DeploymentGroup
from local_aws.services.codedeploy.serializers import describe_target, last_deployment
from local_aws.services.codedeploy.validation import check_target_id

logger = logging.getLogger("local_aws")

# https://docs.aws.amazon.com/codedeploy/latest/userguide/monitoring-cloudwatch-events.html
STATES = {
    "InProgress": "START",
    "Ready": "READY",
    "Succeeded": "SUCCESS",
    "Failed": "FAILURE",
    "Stopped": "STOP",
}


class Deployments:
    """The deployments of the account, and the threads that run them."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.by_id: dict[str, Deployment] = {}
        self.hooks = Hooks()
        self._stopping = threading.Event()

    def create(
        self,
        group: DeploymentGroup,
        config: DeploymentConfig,
        location: Mapping[str, Any],
        params: Mapping[str, Any],
    ) -> Deployment:
        """Start a deployment; refuse a second one while one is active."""
        for other in self.by_id.values():
            if other.group is group and other.active:
                raise AwsError(
                    "DeploymentLimitExceededException",
                    f"The Deployment Group '{group.name}' already has an active Deployment '{other.id}'",
                )
        automatic = params.get("autoRollbackConfiguration")
        deployment = Deployment(
            group.application,
            group,
            dict(group.settings),
            config,
            location,
            description=params.get("description", ""),
            previous=group.target_revision,
            auto_rollback=automatic or group.settings.get("autoRollbackConfiguration", {}),
            override_alarms=params.get("overrideAlarmConfiguration"),
        )
        self.by_id[deployment.id] = deployment
        self.context.spawn(f"deployment {deployment.id}", self._deploy, deployment)
        return deployment

    def resume(self) -> None:
        """End the deployments that were active when an earlier local_aws ended."""
        for deployment in list(self.by_id.values()):
            if deployment.active:
                self.context.spawn(f"deployment {deployment.id}", self._resume, deployment)

    def find(self, deployment: str) -> Deployment:
        """Return a deployment; raises DeploymentDoesNotExistException."""
        if deployment not in self.by_id:
            raise AwsError(
                "DeploymentDoesNotExistException",
                f"The deployment {deployment} could not be found",
            )
        return self.by_id[deployment]

    def started(self, deployment: str) -> Deployment:
        """Return a deployment that has targets; raises DeploymentNotStartedException before.

        https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_ListDeploymentTargets.html
        """
        found = self.find(deployment)
        if found.status == "Created":
            raise AwsError("DeploymentNotStartedException", "The specified deployment has not started.")
        return found

    def list(self, params: Mapping[str, Any]) -> list[str]:
        """Return the ids of the deployments that match a ListDeployments request, the newest first."""
        span = params.get("createTimeRange", {})
        statuses = params.get("includeOnlyStatuses")
        found = [
            item
            for item in self.by_id.values()
            if item.application == params.get("applicationName", item.application)
            and item.group.name == params.get("deploymentGroupName", item.group.name)
            and (not statuses or item.status in statuses)
            and span.get("start", item.created) <= item.created <= span.get("end", item.created)
        ]
        return [item.id for item in sorted(found, key=lambda item: item.created, reverse=True)]

    def target(self, deployment: str, target: str) -> dict[str, Any]:
        """Return the deployment's one target; raises DeploymentTargetDoesNotExistException."""
        found = self.started(deployment)
        check_target_id(target)
        if target not in (found.target_id, found.service_arn):
            raise AwsError("DeploymentTargetDoesNotExistException", f"The deployment has no target {target}")
        return describe_target(found)

    def request_stop(self, deployment: str, roll_back: bool | None) -> dict[str, Any]:
        """Request a deployment to stop; with `roll_back` None, its configuration decides on a rollback."""
        found = self.find(deployment)
        if not found.active:
            raise AwsError(
                "DeploymentAlreadyCompletedException",
                f"The deployment {deployment} is already in a terminal state",
            )
        configured = found.auto_rollback
        by_default = bool(configured.get("enabled")) and "DEPLOYMENT_STOP_ON_REQUEST" in configured.get(
            "events", []
        )
        found.stop = by_default if roll_back is None else roll_back
        found.wake.set()
        text = "No more commands will be scheduled for execution in the deployment instances"
        return {"status": "Pending", "statusMessage": text}

    def continue_(self, deployment: str, wait: str) -> None:
        """End a wait: READY_WAIT before the traffic shifts, TERMINATION_WAIT before blue is deleted."""
        found = self.find(deployment)
        if not found.active:
            raise AwsError(
                "DeploymentAlreadyCompletedException", f"The deployment {deployment} is already completed"
            )
        waiting = found.termination_wait_started if wait == "TERMINATION_WAIT" else found.status == "Ready"
        if not waiting:
            raise AwsError(
                "DeploymentIsNotInReadyStateException", f"The deployment {deployment} is not waiting"
            )
        found.skip.add(wait)
        found.wake.set()

    def stop(self) -> None:
        """End the threads."""
        self._stopping.set()
        for item in self.by_id.values():
            item.wake.set()

    def _resume(self, deployment: Deployment) -> None:
        if deployment.rollback and "rollbackTriggeringDeploymentId" in deployment.rollback:
            self._roll_back(deployment)
        elif deployment.status == "Created":
            self._deploy(deployment)
        else:
            self._execute(deployment, self._run(deployment).resume)

    def _deploy(self, deployment: Deployment) -> None:
        self._begin(deployment)
        deployment.group.last_attempted = last_deployment(deployment)
        self._execute(deployment, self._run(deployment).deploy)

    def _execute(self, deployment: Deployment, work: Callable[[], None]) -> None:
        try:
            work()
        except ServerStoppedError:
            return
        except DeploymentEndedError as end:
            rollback = self._create_rollback(deployment, end)
            self._finish(deployment, end.status, end)
            if rollback is not None:
                self._roll_back(rollback)
            return
        except Exception as error:
            # An error in local_aws: the deployment must end, and the error must be reported.
            self._finish(deployment, "Failed", DeploymentEndedError("INTERNAL_ERROR", repr(error)))
            raise
        deployment.group.target_revision = deployment.revision
        self._finish(deployment, "Succeeded")

    def _create_rollback(self, deployment: Deployment, end: DeploymentEndedError) -> Deployment | None:
        """Record the deployment that rolls this one back, before this one ends and another can start."""
        if deployment.rollback is not None:
            # An earlier local_aws has already recorded it.
            return None
        configured = deployment.auto_rollback
        wanted = bool(configured.get("enabled")) and end.trigger in configured.get("events", [])
        if deployment.stop is not None:
            wanted = deployment.stop
        if not wanted or not deployment.progress.saved or not deployment.progress.reversible:
            return None
        rollback = Deployment(
            deployment.application,
            deployment.group,
            deployment.settings,
            deployment.config,
            deployment.previous or deployment.revision,
            creator="codeDeployRollback",
            description=f"Rollback of deployment {deployment.id}",
            previous=deployment.previous,
            service_arn=deployment.service_arn,
            progress=deployment.progress,
        )
        rollback.rollback = {"rollbackTriggeringDeploymentId": deployment.id}
        text = f"Deployment {deployment.id} is rolled back by deployment {rollback.id}."
        deployment.rollback = {"rollbackDeploymentId": rollback.id, "rollbackMessage": text}
        self.by_id[rollback.id] = rollback
        return rollback

    def _roll_back(self, deployment: Deployment) -> None:
        self._begin(deployment)
        # The alarm that caused the rollback must not stop it.
        deployment.override_alarms = {"enabled": False}
        try:
            self._run(deployment).roll_back()
        except ServerStoppedError:
            return
        except DeploymentEndedError as end:
            self._finish(deployment, "Failed", end)
            return
        self._finish(deployment, "Succeeded")

    def _begin(self, deployment: Deployment) -> None:
        deployment.status, deployment.started = "InProgress", now()
        self._emit(deployment)

    def _run(self, deployment: Deployment) -> DeploymentRun:
        return DeploymentRun(self.context, deployment, self.hooks, self._emit, self._stopping.is_set)

    def _finish(self, deployment: Deployment, status: str, end: DeploymentEndedError | None = None) -> None:
        for event in deployment.events.values():
            if event.status in ("Pending", "InProgress"):
                event.status = "Skipped"
        if end is not None:
            deployment.error = {"code": end.code, "message": end.message}
            logger.info("deployment %s %s: %s", deployment.id, status, end)
        deployment.completed = now()
        deployment.status = status
        group = deployment.group
        group.last_attempted = last_deployment(deployment)
        if status == "Succeeded":
            group.last_successful = last_deployment(deployment)
        self._emit(deployment)

    def _emit(self, deployment: Deployment) -> None:
        group = deployment.group
        resources = [
            self.context.arn("codedeploy", f"application:{deployment.application}"),
            self.context.arn("codedeploy", f"deploymentgroup:{deployment.application}/{group.name}"),
        ]
        detail = {
            "region": self.context.region,
            "deploymentId": deployment.id,
            "instanceGroupId": group.id,
            "deploymentGroup": group.name,
            "state": STATES[deployment.status],
            "application": deployment.application,
        }
        self.context.emit(
            "aws.codedeploy", "CodeDeploy Deployment State-change Notification", resources, detail
        )
