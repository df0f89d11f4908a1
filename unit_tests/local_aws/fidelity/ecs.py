"""Wrong calls of ECS."""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import TASK, Account
from unit_tests.local_aws.fidelity.calls import MISSING, Wrong
from unit_tests.local_aws.fidelity.suite import Suite

INVALID = "InvalidParameterException"
ARN = "arn:aws:ecs:us-east-1:123456789012"
NO_NAMESPACE = "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-0123456789abcdef"
CLUSTER = {"cluster": "cluster"}
SERVICE = {**CLUSTER, "service": "external"}
TASK_SET = {**SERVICE, "taskSet": "$task_set"}
RUN = {**CLUSTER, "taskDefinition": "web", "launchType": "FARGATE", "networkConfiguration": "$network"}
TAGS = [{"key": "k", "value": "v"}]
# The platform version 1.3.0 has no ephemeral storage of another size.
OLD = {"taskDefinition": "large", "platformVersion": "1.3.0"}


def prepare(account: Account) -> Mapping[str, Any]:
    """Create services of each controller, a deleted one, a task set and a task definition with storage."""
    client = account.client("ecs")
    network = account.network_configuration
    assert account.blue_green_service
    client.register_task_definition(family="large", **{**TASK, "ephemeralStorage": {"sizeInGiB": 50}})
    shared = {**CLUSTER, "desiredCount": 0}
    client.create_service(**shared, serviceName="external", deploymentController={"type": "EXTERNAL"})
    task_set = client.create_task_set(
        **SERVICE, taskDefinition="web", launchType="FARGATE", networkConfiguration=network
    )
    for name in ("rolling", "deleted"):
        client.create_service(
            **shared,
            serviceName=name,
            taskDefinition="web",
            launchType="FARGATE",
            networkConfiguration=network,
        )
    client.delete_service(**CLUSTER, service="deleted", force=True)
    client.run_task(**{**RUN, "networkConfiguration": network}, clientToken="token")
    return {"network": network, "task_set": task_set["taskSet"]["id"]}


VALID: Mapping[str, Mapping[str, Any]] = {
    "CreateCluster": {"clusterName": "new"},
    "CreateService": {**RUN, "serviceName": "new"},
    "CreateTaskSet": {**RUN, "service": "external"},
    "DeleteCluster": CLUSTER,
    "DeleteService": {**CLUSTER, "service": "rolling"},
    "DeleteTaskDefinitions": {"taskDefinitions": ["web:1"]},
    "DeleteTaskSet": TASK_SET,
    "DeregisterTaskDefinition": {"taskDefinition": "web:1"},
    "DescribeClusters": {},
    "DescribeServices": {**CLUSTER, "services": ["external"]},
    "DescribeTaskDefinition": {"taskDefinition": "web"},
    "DescribeTaskSets": SERVICE,
    "DescribeTasks": {**CLUSTER, "tasks": ["0123456789abcdef0123456789abcdef"]},
    "ListClusters": {},
    "ListServices": CLUSTER,
    "ListTagsForResource": {"resourceArn": f"{ARN}:cluster/cluster"},
    "ListTaskDefinitionFamilies": {},
    "ListTaskDefinitions": {},
    "ListTasks": CLUSTER,
    "RegisterTaskDefinition": {"family": "new", **TASK},
    "RunTask": RUN,
    "StopTask": {**CLUSTER, "task": "0123456789abcdef0123456789abcdef"},
    "TagResource": {"resourceArn": f"{ARN}:cluster/cluster", "tags": TAGS},
    "UntagResource": {"resourceArn": f"{ARN}:cluster/cluster", "tagKeys": ["k"]},
    "UpdateCluster": CLUSTER,
    "UpdateService": {**CLUSTER, "service": "rolling"},
    "UpdateServicePrimaryTaskSet": {**SERVICE, "primaryTaskSet": "$task_set"},
    "UpdateTaskSet": {**TASK_SET, "scale": {"value": 0, "unit": "PERCENT"}},
}
WRONG = (
    Wrong("cluster", "nope", "ClusterNotFoundException"),
    Wrong("cluster", "bad name", INVALID),
    Wrong("cluster", "cluster", "ClusterContainsServicesException"),
    Wrong("clusterName", "bad name", INVALID),
    Wrong("clusters", [f"c{number}" for number in range(101)], INVALID),
    Wrong("serviceName", "bad name", INVALID),
    Wrong("serviceName", "nope", "ServiceNotFoundException"),
    Wrong("service", "nope", "ServiceNotFoundException"),
    Wrong("service", "deleted", "ServiceNotActiveException", ("DescribeTaskSets",)),
    Wrong("services", [], INVALID),
    Wrong("taskSet", "nope", "TaskSetNotFoundException"),
    Wrong("primaryTaskSet", "nope", "TaskSetNotFoundException"),
    Wrong("tasks", [], INVALID),
    Wrong("serviceConnectDefaults", {"namespace": NO_NAMESPACE}, "NamespaceNotFoundException"),
    Wrong(
        "serviceConnectConfiguration",
        {"enabled": True, "namespace": NO_NAMESPACE},
        "NamespaceNotFoundException",
    ),
    Wrong("taskDefinition", "nope:1", "ClientException"),
    Wrong("taskDefinitions", [], INVALID),
    Wrong("platformVersion", "9.9.9", "PlatformUnknownException"),
    Wrong("include", ["ALL"], INVALID),
    Wrong("status", "MAYBE", INVALID),
    Wrong("maxResults", 101, INVALID),
    Wrong("nextToken", "zz", INVALID),
    Wrong("resourceArn", "zz", INVALID),
    Wrong("resourceArn", f"{ARN}:service/cluster/nope", "ResourceNotFoundException"),
    Wrong("resourceArn", f"{ARN}:cluster/nope", "ClusterNotFoundException"),
    Wrong("tags", [{"key": f"k{number}", "value": "v"} for number in range(51)], INVALID),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("RegisterTaskDefinition", {"cpu": "100"}, "ClientException"),
    ("DescribeTaskSets", {"service": "deleted"}, "ServiceNotActiveException"),
    *(
        (operation, OLD, "PlatformTaskDefinitionIncompatibilityException")
        for operation in ("CreateService", "CreateTaskSet", "RunTask", "UpdateService")
    ),
    ("CreateService", {"networkConfiguration": MISSING}, INVALID),
    ("RunTask", {"clientToken": "token", "count": 2}, "ConflictException"),
)
SUITE = Suite("ecs", tuple(VALID), VALID, WRONG, CHANGES, prepare)
