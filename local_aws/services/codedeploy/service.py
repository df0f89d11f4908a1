"""CodeDeploy for ECS: applications, deployment groups and blue/green deployments."""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.core.cloudformation import ResourceType
from local_aws.core.context import Context
from local_aws.services.codedeploy import filters
from local_aws.services.codedeploy.applications import Applications, Params
from local_aws.services.codedeploy.deployments import Deployments
from local_aws.services.codedeploy.records import Revision
from local_aws.services.codedeploy.resource_types import resource_types
from local_aws.services.codedeploy.revisions import revision_key
from local_aws.services.codedeploy.serializers import describe_deployment, describe_target
from local_aws.services.codedeploy.validation import (
    check_application_and_group,
    check_deployment,
    check_revision,
)


class CodeDeploy(Applications):
    """The CodeDeploy API. Deployments run on threads of their own (`Deployments`)."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.deployments = Deployments(context)

    def to_snapshot(self) -> Params:
        """Return all records: deployments refer to groups, groups are in applications."""
        return {
            "applications": self.applications,
            "configs": self.configs,
            "tags": self.tags,
            "deployments": self.deployments.by_id,
        }

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Restore the records."""
        self.applications, self.configs = kept["applications"], kept["configs"]
        self.tags, self.deployments.by_id = kept["tags"], kept["deployments"]

    def resume(self) -> None:
        """End the deployments that were active when an earlier local_aws ended."""
        self.deployments.resume()

    def resource_types(self) -> dict[str, ResourceType]:
        """Return CloudFormation's types."""
        return resource_types(self.call, self.context)

    def stop(self) -> None:
        """End the threads of the deployments; the deployments stay as they are."""
        self.deployments.stop()

    def create_deployment(self, params: Params) -> Params:
        application = self._application(params)
        if "deploymentGroupName" not in params:
            raise AwsError(
                "DeploymentGroupNameRequiredException", "A deployment group name must be specified"
            )
        group = self._group(application.name, params["deploymentGroupName"])
        if "revision" not in params:
            raise AwsError("RevisionRequiredException", "RevisionLocation must be specified")
        location = check_revision(params["revision"])
        check_deployment(params)
        config = self._config(params.get("deploymentConfigName") or group.settings["deploymentConfigName"])
        deployment = self.deployments.create(group, config, location, params)
        revision = application.revisions.setdefault(revision_key(location), Revision(location))
        revision.first_used, revision.last_used = revision.first_used or now(), now()
        if group.name not in revision.groups:
            revision.groups.append(group.name)
        return {"deploymentId": deployment.id}

    def get_deployment(self, params: Params) -> Params:
        return {"deploymentInfo": describe_deployment(self.deployments.find(params["deploymentId"]))}

    def batch_get_deployments(self, params: Params) -> Params:
        known = self.deployments.by_id
        found = [known[each] for each in params["deploymentIds"] if each in known]
        return {"deploymentsInfo": [describe_deployment(each) for each in found]}

    def list_deployments(self, params: Params) -> Params:
        check_application_and_group(params)
        filters.check_time_range(params)
        if "deploymentGroupName" in params:
            self._group(params["applicationName"], params["deploymentGroupName"])
        return {"deployments": self.deployments.list(params)}

    def stop_deployment(self, params: Params) -> Params:
        return self.deployments.request_stop(params["deploymentId"], params.get("autoRollbackEnabled"))

    def continue_deployment(self, params: Params) -> None:
        self.deployments.continue_(_deployment_id(params), params.get("deploymentWaitType", "READY_WAIT"))

    def list_deployment_targets(self, params: Params) -> Params:
        wanted = params.get("targetFilters", {})
        filters.check_target_filters(wanted)
        deployment = self.deployments.started(params["deploymentId"])
        selected = filters.is_selected(describe_target(deployment), wanted)
        return {"targetIds": [deployment.target_id] if selected else []}

    def get_deployment_target(self, params: Params) -> Params:
        return {"deploymentTarget": self.deployments.target(params["deploymentId"], params["targetId"])}

    def batch_get_deployment_targets(self, params: Params) -> Params:
        targets = [self.deployments.target(params["deploymentId"], each) for each in params["targetIds"]]
        return {"deploymentTargets": targets}

    def put_lifecycle_event_hook_execution_status(self, params: Params) -> Params:
        deployment = self.deployments.find(_deployment_id(params))
        execution = params.get("lifecycleEventHookExecutionId", "")
        self.deployments.hooks.report(deployment.id, execution, params.get("status", ""))
        deployment.wake.set()
        return {"lifecycleEventHookExecutionId": execution}


def _deployment_id(params: Params) -> str:
    """Return the deployment id, which CodeDeploy requires and botocore's model does not."""
    if "deploymentId" not in params:
        raise AwsError("DeploymentIdRequiredException", "The deployment ID must be specified.")
    return str(params["deploymentId"])
