"""CodeDeploy's operations on applications, revisions, deployment configurations, groups and tags."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from local_aws.core.api import AwsError, Counts, JsonService
from local_aws.core.context import Context
from local_aws.services.codedeploy import deployment_config, filters, serializers, validation
from local_aws.services.codedeploy.deployment_config import DeploymentConfig
from local_aws.services.codedeploy.records import Application, DeploymentGroup, Revision
from local_aws.services.codedeploy.revisions import hide_content, revision_key
from local_aws.services.codedeploy.tags import Tags

Params = dict[str, Any]


class Applications(JsonService):
    """The operations on everything but deployments."""

    service = "codedeploy"
    counts: ClassVar[Counts] = {
        "CreateApplication": lambda own, _: len(own.applications),
        "CreateDeploymentConfig": lambda own, _: len(
            own.configs.keys() - deployment_config.PREDEFINED.keys()
        ),
        "CreateDeploymentGroup": lambda own, params: len(own._application(params).groups),
    }

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.applications: dict[str, Application] = {}
        self.configs: dict[str, DeploymentConfig] = dict(deployment_config.PREDEFINED)
        self.tags = Tags()

    # --- applications and revisions -----------------------------------------------------------------------

    def create_application(self, params: Params) -> Params:
        name = params["applicationName"]
        validation.check_platform(params)
        if not 0 < len(name) <= 100:
            raise AwsError("InvalidApplicationNameException", "An application name has 1 to 100 characters")
        if name in self.applications:
            raise AwsError(
                "ApplicationAlreadyExistsException", f"Application with name {name} already exists"
            )
        self.applications[name] = Application(name)
        self.tags.add(self._application_arn(name), params.get("tags", []))
        return {"applicationId": self.applications[name].id}

    def get_application(self, params: Params) -> Params:
        return {"application": serializers.describe_application(self._application(params))}

    def batch_get_applications(self, params: Params) -> Params:
        found = [self._application({"applicationName": name}) for name in params["applicationNames"]]
        return {"applicationsInfo": [serializers.describe_application(each) for each in found]}

    def list_applications(self, _: Params) -> Params:
        return {"applications": list(self.applications)}

    def delete_application(self, params: Params) -> None:
        application = self.applications.pop(params["applicationName"], None)
        for group in application.groups if application else []:
            self.tags.delete(self._group_arn(params["applicationName"], group))
        self.tags.delete(self._application_arn(params["applicationName"]))

    def register_application_revision(self, params: Params) -> None:
        application = self._application(params)
        location = validation.check_revision(params["revision"])
        known = application.revisions.setdefault(revision_key(location), Revision(location))
        known.description = params.get("description", "")

    def get_application_revision(self, params: Params) -> Params:
        application = self._application(params)
        known = application.revisions.get(revision_key(validation.check_revision(params["revision"])))
        if known is None:
            raise AwsError("RevisionDoesNotExistException", "No revision found for the given location")
        return {
            "applicationName": application.name,
            "revision": dict(known.location),
            "revisionInfo": serializers.describe_revision(known),
        }

    def list_application_revisions(self, params: Params) -> Params:
        filters.check_bucket_filters(params)
        known = self._application(params).revisions.values()
        return {"revisions": [hide_content(r.location) for r in known if filters.is_in_bucket(r, params)]}

    # --- deployment configurations ------------------------------------------------------------------------

    def create_deployment_config(self, params: Params) -> Params:
        name = params["deploymentConfigName"]
        routing = validation.check_config(params)
        if name in self.configs:
            raise AwsError(
                "DeploymentConfigAlreadyExistsException",
                f"Deployment configuration with name {name} already exists",
            )
        config = DeploymentConfig(name, routing, deployment_config.new_id())
        self.configs[name] = config
        return {"deploymentConfigId": config.id}

    def get_deployment_config(self, params: Params) -> Params:
        return {
            "deploymentConfigInfo": serializers.describe_config(self._config(params["deploymentConfigName"]))
        }

    def list_deployment_configs(self, _: Params) -> Params:
        return {"deploymentConfigsList": list(self.configs)}

    def delete_deployment_config(self, params: Params) -> None:
        name = params["deploymentConfigName"]
        if name in deployment_config.PREDEFINED:
            raise AwsError("InvalidOperationException", f"{name} is a predefined configuration")
        if any(group.settings["deploymentConfigName"] == name for group in self._groups()):
            raise AwsError("DeploymentConfigInUseException", f"{name} is used by a deployment group")
        self.configs.pop(name, None)

    # --- deployment groups --------------------------------------------------------------------------------

    def create_deployment_group(self, params: Params) -> Params:
        application = self._application(params)
        name = params["deploymentGroupName"]
        if name in application.groups:
            raise AwsError(
                "DeploymentGroupAlreadyExistsException",
                f"Application {application.name} already contains a DeploymentGroup named {name}",
            )
        settings = {
            "deploymentConfigName": deployment_config.DEFAULT,
            **validation.settings_of(self.context, params),
        }
        self._config(settings["deploymentConfigName"])
        validation.check_group(
            self.context, self._group_arn(application.name, name), settings, self._groups()
        )
        group = DeploymentGroup(application.name, name, validation.with_defaults(settings))
        application.groups[name] = group
        self.tags.add(self._group_arn(application.name, name), params.get("tags", []))
        return {"deploymentGroupId": group.id}

    def update_deployment_group(self, params: Params) -> Params:
        application = self._application(params)
        current = str(params["currentDeploymentGroupName"])
        group = self._group(application.name, current)
        settings = {**group.settings, **validation.settings_of(self.context, params)}
        self._config(settings["deploymentConfigName"])
        others = [other for other in self._groups() if other is not group]
        validation.check_group(self.context, self._group_arn(application.name, current), settings, others)
        new = str(params.get("newDeploymentGroupName", current))
        if new != current and new in application.groups:
            raise AwsError("DeploymentGroupAlreadyExistsException", f"{new} already exists")
        group.settings, group.name = validation.with_defaults(settings), new
        application.groups[new] = application.groups.pop(current)
        return {"hooksNotCleanedUp": []}

    def get_deployment_group(self, params: Params) -> Params:
        group = self._group(params["applicationName"], params["deploymentGroupName"])
        return {"deploymentGroupInfo": serializers.describe_group(group)}

    def batch_get_deployment_groups(self, params: Params) -> Params:
        groups = self._application(params).groups
        found = [groups[name] for name in params["deploymentGroupNames"] if name in groups]
        return {"deploymentGroupsInfo": [serializers.describe_group(group) for group in found]}

    def list_deployment_groups(self, params: Params) -> Params:
        application = self._application(params)
        return {"applicationName": application.name, "deploymentGroups": list(application.groups)}

    def delete_deployment_group(self, params: Params) -> Params:
        application = self._application(params)
        application.groups.pop(params["deploymentGroupName"], None)
        self.tags.delete(self._group_arn(application.name, params["deploymentGroupName"]))
        return {"hooksNotCleanedUp": []}

    # --- tags ---------------------------------------------------------------------------------------------

    def tag_resource(self, params: Params) -> None:
        self.tags.add(self._tagged(params), params["Tags"])

    def untag_resource(self, params: Params) -> None:
        self.tags.remove(self._tagged(params), params["TagKeys"])

    def list_tags_for_resource(self, params: Params) -> Params:
        try:
            return {"Tags": self.tags.of(self._tagged(params))}
        except AwsError as error:
            # It declares no code for a resource that does not exist.
            raise AwsError("ArnNotSupportedException", error.message) from error

    # ------------------------------------------------------------------------------------------------------

    def _tagged(self, params: Params) -> str:
        """Return the ARN of an application or a deployment group."""
        arn = str(params["ResourceArn"])
        kind, _, name = arn.split(":", 5)[-1].partition(":")
        application, _, group = name.partition("/")
        if kind not in ("application", "deploymentgroup"):
            raise AwsError("ArnNotSupportedException", f"{arn} is no application or deployment group")
        self._application({"applicationName": application})
        if kind == "deploymentgroup":
            self._group(application, group)
        return arn

    def _application_arn(self, name: str) -> str:
        return self.context.arn("codedeploy", f"application:{name}")

    def _group_arn(self, application: str, group: str) -> str:
        return self.context.arn("codedeploy", f"deploymentgroup:{application}/{group}")

    def _application(self, params: Mapping[str, Any]) -> Application:
        name = params["applicationName"]
        if name not in self.applications:
            raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {name}")
        return self.applications[name]

    def _group(self, application: str, name: str) -> DeploymentGroup:
        groups = self._application({"applicationName": application}).groups
        if name not in groups:
            raise AwsError(
                "DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}"
            )
        return groups[name]

    def _groups(self) -> Iterator[DeploymentGroup]:
        for application in self.applications.values():
            yield from application.groups.values()

    def _config(self, name: str) -> DeploymentConfig:
        if name not in self.configs:
            raise AwsError(
                "DeploymentConfigDoesNotExistException",
                f"No Deployment Configuration found for name: {name}",
            )
        return self.configs[name]
