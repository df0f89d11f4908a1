"""ECS's operations on task definitions: families of numbered revisions."""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import now
from local_aws.services.ecs.errors import client_error
from local_aws.services.ecs.state import EcsState, Params
from local_aws.services.ecs.task_definition_validation import check_task_definition


class TaskDefinitionOperations(EcsState):
    """Operations on task definitions."""

    def register_task_definition(self, params: Params) -> dict[str, Any]:
        """Add a revision to a family."""
        check_task_definition(params)
        family = params["family"]
        known = self.revisions(family)
        revision = int(known[-1]["revision"]) + 1 if known else 1
        arn = self.context.arn("ecs", f"task-definition/{family}:{revision}")
        content = {key: value for key, value in params.items() if key != "tags"}
        fargate = "FARGATE" in params.get("requiresCompatibilities", [])
        self.definitions[f"{family}:{revision}"] = {
            "networkMode": "bridge",
            "volumes": [],
            "placementConstraints": [],
            **content,
            "containerDefinitions": [_with_defaults(each) for each in params["containerDefinitions"]],
            "taskDefinitionArn": arn,
            "revision": revision,
            "status": "ACTIVE",
            "requiresAttributes": [],
            "compatibilities": ["EC2", "FARGATE"] if fargate else ["EC2"],
            "registeredAt": now(),
            "registeredBy": f"arn:aws:iam::{self.context.account}:root",
        }
        self.set_tags(arn, params.get("tags", []))
        return {"taskDefinition": self.definitions[f"{family}:{revision}"], "tags": self.tag_list(arn)}

    def describe_task_definition(self, params: Params) -> dict[str, Any]:
        """Describe a revision, of any status; a family alone means its newest ACTIVE one."""
        found = self.described_definition(params["taskDefinition"])
        answer: dict[str, Any] = {"taskDefinition": found}
        if "TAGS" in params.get("include", []):
            answer["tags"] = self.tag_list(found["taskDefinitionArn"])
        return answer

    def list_task_definitions(self, params: Params) -> dict[str, Any]:
        """List revisions of a status (ACTIVE) and of a family."""
        status, family = params.get("status", "ACTIVE"), params.get("familyPrefix")
        found = [
            definition
            for definition in self.definitions.values()
            if definition["status"] == status and family in (None, definition["family"])
        ]
        found.sort(key=_family_and_revision, reverse=params.get("sort") == "DESC")
        return {"taskDefinitionArns": [definition["taskDefinitionArn"] for definition in found]}

    def list_task_definition_families(self, params: Params) -> dict[str, Any]:
        """List families that have a revision of a status (ACTIVE)."""
        status, prefix = params.get("status", "ACTIVE"), params.get("familyPrefix", "")
        families = {
            definition["family"]
            for definition in self.definitions.values()
            if status in ("ALL", definition["status"]) and definition["family"].startswith(prefix)
        }
        return {"families": sorted(families)}

    def deregister_task_definition(self, params: Params) -> dict[str, Any]:
        """Make a revision INACTIVE: its tasks continue, and nothing new can use it."""
        reference = params["taskDefinition"]
        if ":" not in reference.rpartition("/")[2]:
            # The message: moto's RevisionNotFoundException.
            raise client_error("Revision is missing.")
        found = self.described_definition(reference)
        found.update(status="INACTIVE", deregisteredAt=now())
        return {"taskDefinition": found}

    def delete_task_definitions(self, params: Params) -> dict[str, Any]:
        """Delete INACTIVE revisions."""
        deleted, failures = [], []
        for reference in params["taskDefinitions"]:
            found = self.find_definition(reference)
            reason = _why_not_deleted(reference, found)
            if found is None or reason:
                failures.append({"arn": self.arn_of("task-definition", reference), "reason": reason})
                continue
            arn = found["taskDefinitionArn"]
            found["status"] = "DELETE_IN_PROGRESS"
            deleted.append(dict(found))
            # AWS keeps it until no task, service or task set refers to it.
            if not self._used(arn):
                del self.definitions[f"{found['family']}:{found['revision']}"]
                self.tags.pop(arn, None)
        return {"taskDefinitions": deleted, "failures": failures}

    def _used(self, arn: str) -> bool:
        tasks = (
            task.status != "STOPPED" and task.content["taskDefinitionArn"] == arn
            for task in self.tasks.values()
        )
        sets = (
            task_set.content["taskDefinition"] == arn
            for service in self.services.values()
            for task_set in service.task_sets
        )
        return any(tasks) or any(sets)


def _why_not_deleted(reference: str, found: Mapping[str, Any] | None) -> str:
    """Return the reason of a failure of DeleteTaskDefinitions, in AWS's words that moto has, or nothing."""
    if ":" not in reference.rpartition("/")[2]:
        return (
            "The specified task definition identifier is invalid. Specify a valid name or ARN and try again."
        )
    if found is None:
        return (
            "The specified task definition does not exist. Specify a valid account, family, revision and try "
            "again."
        )
    if found["status"] == "ACTIVE":
        return (
            "The specified task definition is still in ACTIVE status. Please deregister the target and try "
            "again."
        )
    return ""


def _family_and_revision(definition: Mapping[str, Any]) -> tuple[str, int]:
    return definition["family"], definition["revision"]


def _with_defaults(container: dict[str, Any]) -> dict[str, Any]:
    ports = [
        {"hostPort": mapping["containerPort"], "protocol": "tcp", **mapping}
        for mapping in container.get("portMappings", [])
    ]
    defaults = {"cpu": 0, "essential": True, "environment": [], "mountPoints": [], "volumesFrom": []}
    return {**defaults, **container, "portMappings": ports}
