"""The resources of ECS, ECR and Lambda."""

from collections.abc import Callable, Iterator, Mapping

from operations.account import Account, batches
from operations.ownership import Resource, normalize_tags

# DescribeClusters takes a hundred, DescribeServices ten.
CLUSTERS_AT_ONCE = 100
SERVICES_AT_ONCE = 10


def clusters(account: Account) -> Iterator[Resource]:
    """Yield the clusters; AWS shows a deleted one as INACTIVE for a while."""
    arns = list(account.pages("ecs", "list_clusters", "clusterArns"))
    for some in batches(arns, CLUSTERS_AT_ONCE):
        for cluster in account.client("ecs").describe_clusters(clusters=some, include=["TAGS"])["clusters"]:
            if cluster["status"] != "INACTIVE":
                yield Resource("ECS cluster", cluster["clusterName"], normalize_tags(cluster.get("tags")))


def services(account: Account) -> Iterator[Resource]:
    """Yield the services of every cluster."""
    for cluster in account.pages("ecs", "list_clusters", "clusterArns"):
        arns = list(account.pages("ecs", "list_services", "serviceArns", cluster=cluster))
        for some in batches(arns, SERVICES_AT_ONCE):
            answer = account.client("ecs").describe_services(cluster=cluster, services=some, include=["TAGS"])
            for service in answer["services"]:
                if service["status"] != "INACTIVE":
                    yield Resource("ECS service", service["serviceName"], normalize_tags(service.get("tags")))


def tasks(account: Account) -> Iterator[Resource]:
    """Yield the tasks that run or are about to run."""
    for cluster in account.pages("ecs", "list_clusters", "clusterArns"):
        for arn in account.pages("ecs", "list_tasks", "taskArns", cluster=cluster):
            yield Resource("ECS task", arn.rpartition("/")[2], parents=(cluster.rpartition("/")[2],))


def task_definitions(account: Account) -> Iterator[Resource]:
    """Yield the task definitions; one that is INACTIVE or being deleted starts no new tasks."""
    for status, remains in (("ACTIVE", True), ("INACTIVE", False), ("DELETE_IN_PROGRESS", False)):
        for arn in account.pages("ecs", "list_task_definitions", "taskDefinitionArns", status=status):
            name = arn.rpartition("/")[2]
            yield Resource(
                "task definition", name, parents=(name.partition(":")[0],), note=status, remains=remains
            )


def scalable_targets(account: Account) -> Iterator[Resource]:
    """Yield the targets of Application Auto Scaling, whose policies and alarms end with them."""
    for target in account.pages(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", ServiceNamespace="ecs"
    ):
        yield Resource("scalable target", target["ResourceId"])


def repositories(account: Account) -> Iterator[Resource]:
    """Yield the image repositories."""
    for found in account.pages("ecr", "describe_repositories", "repositories"):
        tags = account.client("ecr").list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
        yield Resource("ECR repository", found["repositoryName"], normalize_tags(tags))


def functions(account: Account) -> Iterator[Resource]:
    """Yield the Lambda functions."""
    for function in account.pages("lambda", "list_functions", "Functions"):
        tags = account.client("lambda").list_tags(Resource=function["FunctionArn"])["Tags"]
        yield Resource("Lambda function", function["FunctionName"], normalize_tags(tags))


KINDS: Mapping[str, Callable[[Account], Iterator[Resource]]] = {
    "ECS clusters": clusters,
    "ECS services": services,
    "ECS tasks": tasks,
    "task definitions": task_definitions,
    "scalable targets": scalable_targets,
    "ECR repositories": repositories,
    "Lambda functions": functions,
}
