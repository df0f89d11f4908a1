"""ECS's operations on services."""

from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.services.ecs import validation
from local_aws.services.ecs.errors import invalid_parameter, unsupported
from local_aws.services.ecs.members import check_launch_type
from local_aws.services.ecs.network import check_network
from local_aws.services.ecs.platform import check_platform
from local_aws.services.ecs.records import EcsService
from local_aws.services.ecs.scheduler import Scheduler
from local_aws.services.ecs.serializers import describe_service, missing
from local_aws.services.ecs.state import Params
from local_aws.services.ecs.task_sets import make_task_set
from local_aws.services.ecs.tasks import TaskOperations
from local_aws.services.ecs.utilization import Utilization

UPDATED = (
    "desiredCount",
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "enableECSManagedTags",
    "enableExecuteCommand",
    "propagateTags",
    "availabilityZoneRebalancing",
    "placementConstraints",
    "placementStrategy",
)
_OF_TASK_SETS = ("taskDefinition", "networkConfiguration", "loadBalancers", "platformVersion", "launchType")


class ServiceOperations(TaskOperations):
    """Operations on services."""

    def create_service(self, params: Params) -> dict[str, Any]:
        """Create a service and, unless its controller is EXTERNAL, its first task set."""
        self.create_service_linked_role()
        cluster = self.cluster(params.get("cluster"))
        arn = self._service_arn(cluster["clusterName"], params["serviceName"])
        self._check_name_is_free(arn)
        definition = self._check(params)
        content = _new_content(params, arn, cluster["clusterArn"], self.context.account)
        service = EcsService(content)
        if definition is not None:
            content["taskDefinition"] = definition["taskDefinitionArn"]
            service.task_sets.append(
                make_task_set(self.context, service, definition, content, "PRIMARY", 100.0)
            )
        self.services[arn] = service
        self.set_tags(arn, params.get("tags", []))
        self.schedule(service)
        return {"service": self._describe_service(service)}

    def _check_name_is_free(self, arn: str) -> None:
        known = self.services.get(arn)
        if known is None or known.content["status"] == "INACTIVE":
            return
        if known.content["status"] == "DRAINING":
            raise invalid_parameter("Unable to Start a service that is still Draining.")
        raise invalid_parameter("Creation of service was not idempotent.")

    def _check(self, params: Params) -> dict[str, Any] | None:
        """Return the task definition, None when a service of an external controller has none."""
        controller = params.get("deploymentController", {"type": "ECS"})["type"]
        if "taskDefinition" not in params:
            if controller != "EXTERNAL":
                raise invalid_parameter("TaskDefinition can not be blank.")
            return None
        definition = self.definition(params["taskDefinition"])
        check_launch_type("CreateService", params)
        validation.check_new_service(params, definition)
        if controller == "ECS":
            validation.check_deployment_percents(params, {})
        check_platform(definition, params)
        check_network(self.context, definition, params)
        validation.check_balancers(self.context, definition, params.get("loadBalancers", []))
        if controller == "CODE_DEPLOY" and not params.get("loadBalancers"):
            raise invalid_parameter(
                "Load balancers are required when using the CODE_DEPLOY deployment controller."
            )
        return definition

    def update_service(self, params: Params) -> dict[str, Any]:
        """Update a service; with the CODE_DEPLOY controller, only what needs no deployment."""
        self.create_service_linked_role()
        service = self.active_service(params.get("cluster"), params["service"])
        if params.get("deploymentController", {}).get("type", service.controller) != service.controller:
            raise unsupported("local_aws does not implement a change of deploymentController")
        if service.controller == "CODE_DEPLOY":
            validation.check_update(params)
        elif service.controller == "ECS":
            validation.check_deployment_percents(params, service.content["deploymentConfiguration"])
            self._deploy(service, params)
        service.content.update({key: params[key] for key in UPDATED if key in params})
        self._rescale(service)
        service.changed.set()
        return {"service": self._describe_service(service)}

    def _rescale(self, service: EcsService) -> None:
        for task_set in service.task_sets:
            task_set.content["computedDesiredCount"] = task_set.count(service.desired)

    def _deploy(self, service: EcsService, params: Params) -> None:
        """Start a rolling update: the old task sets drain once the new primary one is steady."""
        if not params.get("forceNewDeployment") and not any(
            key in params for key in validation.CHANGED_BY_DEPLOYMENT
        ):
            return
        definition = self.definition(params.get("taskDefinition", service.content["taskDefinition"]))
        check_platform(definition, {**service.content, **params})
        check_network(self.context, definition, {**service.content, **params})
        balancers = params.get("loadBalancers", service.content["loadBalancers"])
        validation.check_balancers(self.context, definition, balancers)
        service.content.update({key: params[key] for key in _OF_TASK_SETS if key in params})
        service.content["taskDefinition"] = definition["taskDefinitionArn"]
        for task_set in service.task_sets:
            task_set.content["status"] = "ACTIVE"
        task_set = make_task_set(self.context, service, definition, service.content, "PRIMARY", 100.0)
        service.task_sets.insert(0, task_set)

    def _describe_service(self, service: EcsService) -> dict[str, Any]:
        return describe_service(service, self.tasks_of(service))

    def describe_services(self, params: Params) -> dict[str, Any]:
        """Describe services; those that do not exist are among the failures."""
        found, failures = [], []
        for reference in params["services"]:
            try:
                service = self.find_service(params.get("cluster"), reference)
            except AwsError as error:
                if error.code == "ClusterNotFoundException":
                    raise
                cluster = self.cluster(params.get("cluster"))["clusterName"]
                failures.append(missing(self.arn_of("service", reference, cluster)))
                continue
            tags = {"tags": self.tag_list(service.arn)} if "TAGS" in params.get("include", []) else {}
            found.append({**self._describe_service(service), **tags})
        return {"services": found, "failures": failures}

    def list_services(self, params: Params) -> dict[str, Any]:
        """List the services of a cluster, all or those of a launch type and scheduling strategy."""
        cluster = self.cluster(params.get("cluster"))["clusterArn"]
        existing = (service for service in self.services.values() if service.content["status"] != "INACTIVE")
        filters = {key: params[key] for key in ("launchType", "schedulingStrategy") if key in params}
        wanted = {"clusterArn": cluster, **filters}
        return {"serviceArns": [each.arn for each in existing if wanted.items() <= _scalars(each.content)]}

    def delete_service(self, params: Params) -> dict[str, Any]:
        """Delete a service: DRAINING until its last task has stopped, then INACTIVE."""
        service = self.active_service(params.get("cluster"), params["service"])
        validation.check_deletion(service, force=params.get("force", False))
        service.content.update(status="DRAINING", desiredCount=0)
        self._rescale(service)
        service.changed.set()
        return {"service": self._describe_service(service)}

    def schedule(self, service: EcsService) -> None:
        """Start a service's scheduler, and the metric of its tasks."""
        self.context.spawn(f"scheduler-{service.name}", Scheduler(self, service).run)
        self.context.spawn(f"utilization-{service.name}", Utilization(self, service).run)


def _scalars(content: Params) -> set[tuple[str, str]]:
    return {(key, value) for key, value in content.items() if isinstance(value, str)}


def _new_content(params: Params, arn: str, cluster_arn: str, account: str) -> dict[str, Any]:
    """Return the content of a new service, with AWS's defaults where `params` has no value."""
    return {
        "serviceArn": arn,
        "serviceName": params["serviceName"],
        "clusterArn": cluster_arn,
        "status": "ACTIVE",
        "desiredCount": params.get("desiredCount", 0),
        "deploymentController": params.get("deploymentController", {"type": "ECS"}),
        "deploymentConfiguration": {
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            **params.get("deploymentConfiguration", {}),
        },
        "schedulingStrategy": params.get("schedulingStrategy", "REPLICA"),
        "healthCheckGracePeriodSeconds": params.get("healthCheckGracePeriodSeconds", 0),
        "enableECSManagedTags": params.get("enableECSManagedTags", False),
        "propagateTags": params.get("propagateTags", "NONE"),
        "enableExecuteCommand": params.get("enableExecuteCommand", False),
        "serviceRegistries": [],
        "placementConstraints": [],
        "placementStrategy": [],
        "createdAt": now(),
        "createdBy": f"arn:aws:iam::{account}:root",
        "roleArn": f"arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        **{key: params[key] for key in _OF_TASK_SETS if key in params},
        "loadBalancers": params.get("loadBalancers", []),
        "launchType": params.get("launchType", "FARGATE"),
        "platformVersion": params.get("platformVersion", "LATEST"),
    }
