"""ECS services: what can be asked of them, with the CODE_DEPLOY controller's refusals (pitfalls C1, C2)."""

from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.services.ecs.records import STARTING, Service
from local_aws.services.ecs.state import EcsState, Params
from local_aws.services.ecs.task_sets import make_task_set

CODE_DEPLOY = (
    "on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment."
)
# What only a deployment can change, and how AWS's refusal calls it.
FROZEN = {
    "taskDefinition": "task definition",
    "networkConfiguration": "network parameters",
    "loadBalancers": "load balancers",
    "platformVersion": "platform version",
}
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


class ServiceOperations(EcsState):
    """Operations on services."""

    def create_service(self, params: Params) -> dict[str, Any]:
        """Create a service and, unless its controller is EXTERNAL, its first task set."""
        cluster = self.cluster(params.get("cluster"))
        name = params["serviceName"]
        arn = self._service_arn(cluster["clusterName"], name)
        known = self.services.get(arn)
        if known is not None and known.content["status"] != "INACTIVE":
            draining = known.content["status"] == "DRAINING"
            text = (
                "Unable to Start a service that is still Draining."
                if draining
                else ("Creation of service was not idempotent.")
            )
            raise AwsError("InvalidParameterException", text)
        controller = params.get("deploymentController", {"type": "ECS"})
        definition = self._check(params, controller["type"])
        content = self._new_service_content(params, arn, cluster["clusterArn"])
        service = Service(content)
        if definition is not None:
            content["taskDefinition"] = definition["taskDefinitionArn"]
            service.task_sets.append(
                make_task_set(self.context, service, definition, content, "PRIMARY", 100.0)
            )
        self.services[arn] = service
        self.set_tags(arn, params.get("tags", []))
        self.schedule(service)
        return {"service": self.describe(service)}

    def _new_service_content(self, params: Params, arn: str, cluster_arn: str) -> dict[str, Any]:
        """Return a new service's description, AWS's defaults where `params` says nothing."""
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
            "createdBy": f"arn:aws:iam::{self.context.account}:root",
            "roleArn": f"arn:aws:iam::{self.context.account}:role/aws-service-role/ecs.amazonaws.com/"
            "AWSServiceRoleForECS",
            **{key: params[key] for key in _OF_TASK_SETS if key in params},
            "loadBalancers": params.get("loadBalancers", []),
            "launchType": params.get("launchType", "FARGATE"),
            "platformVersion": params.get("platformVersion", "LATEST"),
        }

    def _check(self, params: Params, controller: str) -> dict[str, Any] | None:
        if params.get("serviceRegistries") or params.get("serviceConnectConfiguration", {}).get("enabled"):
            raise AwsError("UnsupportedOperation", "local_aws has no service discovery", 501)
        if "taskDefinition" not in params:
            if controller != "EXTERNAL":
                raise AwsError("InvalidParameterException", "TaskDefinition can not be blank.")
            return None
        definition = self.fitting_definition(params)
        if controller == "CODE_DEPLOY" and not params.get("loadBalancers"):
            raise AwsError(
                "InvalidParameterException",
                "Load balancers are required when using the CODE_DEPLOY deployment controller.",
            )
        return definition

    def update_service(self, params: Params) -> dict[str, Any]:
        """Change a service; with the CODE_DEPLOY controller only what needs no deployment."""
        service = self.active_service(params.get("cluster"), params["service"])
        if service.controller == "CODE_DEPLOY":
            _refuse_deployment(params)
        elif service.controller == "ECS":
            self._deploy(service, params)
        service.content.update({key: params[key] for key in UPDATED if key in params})
        self._rescale(service)
        service.changed.set()
        return {"service": self.describe(service)}

    def _rescale(self, service: Service) -> None:
        for one in service.task_sets:
            one.content["computedDesiredCount"] = one.count(service.desired)

    def _deploy(self, service: Service, params: Params) -> None:
        """Start a rolling update: a new primary set, the old ones drain once it is steady."""
        if not params.get("forceNewDeployment") and not any(key in params for key in FROZEN):
            return
        definition = self.definition(params.get("taskDefinition", service.content["taskDefinition"]))
        self.check_balancers(definition, params.get("loadBalancers", service.content["loadBalancers"]))
        service.content.update({key: params[key] for key in _OF_TASK_SETS if key in params})
        service.content["taskDefinition"] = definition["taskDefinitionArn"]
        for one in service.task_sets:
            one.content["status"] = "ACTIVE"
        made = make_task_set(self.context, service, definition, service.content, "PRIMARY", 100.0)
        service.task_sets.insert(0, made)

    def describe(self, service: Service) -> dict[str, Any]:
        """Return a service as describe-services shows it, counts taken from its living tasks."""
        tasks = self.tasks_of(service)
        sets = [dict(one.content) for one in service.task_sets]
        answer = {
            **service.content,
            "runningCount": sum(task.status == "RUNNING" for task in tasks),
            "pendingCount": sum(task.status in STARTING for task in tasks),
            "events": service.events,
            "deployments": [],
        }
        if service.controller == "ECS":
            answer["deployments"] = [_deployment(one) for one in sets]
        else:
            answer["taskSets"] = sets
        return answer

    def describe_services(self, params: Params) -> dict[str, Any]:
        """Describe services; those that do not exist are among the failures."""
        found, failures = [], []
        for reference in params["services"]:
            try:
                service = self.find_service(params.get("cluster"), reference)
            except AwsError as error:
                if error.code == "ClusterNotFoundException":
                    raise
                failures.append({"arn": reference, "reason": "MISSING"})
                continue
            tags = {"tags": self.tag_list(service.arn)} if "TAGS" in params.get("include", []) else {}
            found.append({**self.describe(service), **tags})
        return {"services": found, "failures": failures}

    def list_services(self, params: Params) -> dict[str, Any]:
        """List the services of a cluster."""
        cluster = self.cluster(params.get("cluster"))["clusterArn"]
        living = (one for one in self.services.values() if one.content["status"] != "INACTIVE")
        return {"serviceArns": [one.arn for one in living if one.content["clusterArn"] == cluster]}

    def delete_service(self, params: Params) -> dict[str, Any]:
        """Delete a service: DRAINING until its last task has stopped, then INACTIVE."""
        service = self.active_service(params.get("cluster"), params["service"])
        if not params.get("force"):
            if service.content["desiredCount"] > 0 and service.content["schedulingStrategy"] == "REPLICA":
                raise AwsError(
                    "InvalidParameterException", "The service cannot be stopped while it is scaled above 0."
                )
            if len([one for one in service.task_sets if not one.draining]) > 1:
                raise AwsError(
                    "InvalidParameterException", "The service cannot be stopped while deployments are active."
                )
        service.content.update(status="DRAINING", desiredCount=0)
        self._rescale(service)
        service.changed.set()
        return {"service": self.describe(service)}

    def schedule(self, service: Service) -> None:
        """Let a service's scheduler run (see ecs_scheduler)."""
        raise NotImplementedError


def _refuse_deployment(params: Params) -> None:
    for key, words in FROZEN.items():
        if key in params:
            raise AwsError(
                "InvalidParameterException",
                f"Unable to update {words} {CODE_DEPLOY}",
            )
    if params.get("forceNewDeployment"):
        raise AwsError(
            "InvalidParameterException",
            f"Cannot force a new deployment {CODE_DEPLOY}",
        )


def _deployment(content: dict[str, Any]) -> dict[str, Any]:
    steady = content["stabilityStatus"] == "STEADY_STATE"
    kept = ("id", "status", "taskDefinition", "pendingCount", "runningCount", "createdAt", "updatedAt")
    return {
        **{key: content[key] for key in (*kept, "launchType", "networkConfiguration") if key in content},
        "desiredCount": content["computedDesiredCount"],
        "rolloutState": "COMPLETED" if steady else "IN_PROGRESS",
    }
