"""Services: the number of tasks, the CODE_DEPLOY controller's rules, task sets and draining."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.containers.fakes import until
from unit_tests.local_aws.services.ecs.fakes import (
    ALONE,
    BLUE,
    CLUSTER,
    GREEN,
    NETWORK,
    Cloud,
    balancer,
    cloud,
    refusal,
)

STEADY = {"PRIMARY": "STEADY_STATE"}


@pytest.fixture
def aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with cloud(tmp_path, monkeypatch) as found:
        found.define()
        yield found


def steady(aws: Cloud) -> None:
    until(lambda: aws.sets() == STEADY)


def update(aws: Cloud, **params: Any) -> None:
    aws.call("UpdateService", cluster=CLUSTER, service="service-dev", **params)


def test_a_new_service_has_a_task_set_that_becomes_steady(aws: Cloud) -> None:
    created = aws.create()
    assert created["taskSets"][0]["status"] == "PRIMARY"
    steady(aws)
    service = aws.service()
    assert (service["runningCount"], service["taskSets"][0]["runningCount"]) == (2, 2)
    assert len(aws.engine.living) == 2
    assert len(aws.elb.targets[BLUE]) == 2


def test_a_task_set_whose_targets_are_not_healthy_is_not_steady(aws: Cloud) -> None:
    aws.elb.state = dict.fromkeys(("127.64.0.1", "127.64.0.2"), "initial")
    aws.create(healthCheckGracePeriodSeconds=9999)
    until(lambda: aws.service()["runningCount"] == 2)
    assert aws.sets() == {"PRIMARY": "STABILIZING"}
    aws.elb.state.clear()
    steady(aws)


def test_a_task_that_exited_is_replaced(aws: Cloud) -> None:
    aws.create()
    steady(aws)
    dead = aws.engine.living[0]
    dead.die(137)
    until(lambda: len(aws.engine.started) == 3 and aws.sets() == STEADY)
    assert len(aws.engine.living) == 2
    assert dead.address not in aws.elb.targets[BLUE]


def test_a_task_that_fails_elb_health_checks_is_replaced_after_the_grace_period(
    aws: Cloud,
) -> None:
    aws.create(healthCheckGracePeriodSeconds=0)
    steady(aws)
    address = aws.engine.living[0].address
    aws.elb.state[address] = "unhealthy"
    until(lambda: aws.tasks("STOPPED"))
    reason = aws.task(aws.tasks("STOPPED")[0])["stoppedReason"]
    assert reason == f"Task failed ELB health checks in (target-group {BLUE})"
    until(lambda: aws.sets() == STEADY and address not in [one.address for one in aws.engine.living])


def test_within_the_grace_period_an_unhealthy_task_is_not_replaced(aws: Cloud) -> None:
    aws.create(healthCheckGracePeriodSeconds=9999, desiredCount=1)
    steady(aws)
    aws.elb.state[aws.engine.living[0].address] = "unhealthy"
    until(lambda: aws.sets() == {"PRIMARY": "STABILIZING"})
    assert len(aws.engine.started) == 1


def test_a_service_whose_tasks_fail_again_and_again_sends_an_event_once(aws: Cloud) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_service_events.html."""
    aws.engine.images.clear()
    aws.create(desiredCount=1)
    until(lambda: len(aws.tasks("STOPPED")) > 4)
    impaired = [event for _, event in aws.events if event.get("eventName") == "SERVICE_TASK_START_IMPAIRED"]
    assert [event["eventType"] for event in impaired] == ["WARN"]
    messages = [event["message"] for event in aws.service()["events"]]
    assert messages.count("(service service-dev) is unable to consistently start tasks successfully.") == 1


def test_a_service_whose_image_does_not_exist_never_runs_and_reports_the_reason(aws: Cloud) -> None:
    aws.define("missing:1")
    aws.create()
    until(lambda: any("CannotPullContainerError" in event["message"] for event in aws.service()["events"]))
    assert aws.service()["runningCount"] == 0
    assert aws.sets() == {"PRIMARY": "STABILIZING"}


def test_a_role_that_cannot_be_assumed_stands_in_an_event_of_the_service(
    aws: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In AWS's words: https://github.com/aws-samples/aws-modern-application-workshop/issues/88."""
    others = aws.context.client

    def client(service: str, role: Any = None) -> Any:
        if service == "logs":
            raise refusal("AccessDenied")
        return others(service, role)

    monkeypatch.setattr(aws.context, "client", client)
    aws.create()
    words = "(service service-dev) failed to launch a task with (error ECS was unable to assume the role "
    until(lambda: any(event["message"].startswith(words) for event in aws.service()["events"]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"taskDefinition": "task-dev"}, "Unable to update task definition on services with a CODE_DEPLOY"),
        (
            {"networkConfiguration": NETWORK},
            "Unable to update network parameters on services with a CODE_DEPLOY",
        ),
        (
            {"loadBalancers": [balancer(GREEN)]},
            "Unable to update load balancers on services with a CODE_DEPLOY",
        ),
        ({"platformVersion": "1.4.0"}, "Unable to update platform version on services with a CODE_DEPLOY"),
        ({"forceNewDeployment": True}, "Cannot force a new deployment on services with a CODE_DEPLOY"),
    ],
)
def test_an_update_that_needs_a_deployment_is_refused_with_the_codedeploy_controller(
    aws: Cloud, change: dict[str, Any], words: str
) -> None:
    aws.create()
    with pytest.raises(AwsError, match=f"{words} deployment controller. Use AWS CodeDeploy to trigger a new"):
        update(aws, **change)


def test_the_desired_count_can_be_changed(aws: Cloud) -> None:
    aws.create()
    steady(aws)
    update(aws, desiredCount=3)
    until(lambda: aws.service()["runningCount"] == 3 and aws.sets() == STEADY)
    update(aws, desiredCount=1)
    until(lambda: len(aws.engine.living) == 1 and aws.sets() == STEADY)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"loadBalancers": [balancer(ALONE)]}, "does not have an associated load balancer"),
        (
            {"loadBalancers": [{**balancer(BLUE), "containerPort": 80}]},
            "did not have a container port 80 defined",
        ),
        ({"loadBalancers": [{**balancer(BLUE), "containerName": "b"}]}, "container b does not exist"),
        ({"loadBalancers": []}, "Load balancers are required"),
        ({"taskDefinition": "nothing"}, "TaskDefinition not found."),
    ],
)
def test_a_service_whose_parts_do_not_fit_is_refused(aws: Cloud, change: dict[str, Any], words: str) -> None:
    with pytest.raises(AwsError, match=words):
        aws.create(**change)
    assert aws.call("ListServices", cluster=CLUSTER)["serviceArns"] == []


def test_a_second_task_set_becomes_primary_and_the_first_is_drained(aws: Cloud) -> None:
    aws.create()
    steady(aws)
    made = aws.call(
        "CreateTaskSet",
        cluster=CLUSTER,
        service="service-dev",
        taskDefinition=aws.define(),
        launchType="FARGATE",
        networkConfiguration=NETWORK,
        loadBalancers=[balancer(GREEN)],
        scale={"value": 100, "unit": "PERCENT"},
    )["taskSet"]
    until(lambda: aws.sets() == {**STEADY, "ACTIVE": "STEADY_STATE"})
    assert len(aws.engine.living) == 4
    of = {"cluster": CLUSTER, "service": "service-dev"}
    aws.call("UpdateServicePrimaryTaskSet", **of, primaryTaskSet=made["id"])
    assert aws.service()["taskDefinition"].endswith(":2")
    old = next(one["id"] for one in aws.service()["taskSets"] if one["status"] == "ACTIVE")
    with pytest.raises(AwsError, match="scaled above 0"):
        aws.call("DeleteTaskSet", **of, taskSet=old)
    with pytest.raises(AwsError, match="primary task set"):
        aws.call("DeleteTaskSet", **of, taskSet=made["id"], force=True)
    aws.call("DeleteTaskSet", **of, taskSet=old, force=True)
    until(lambda: aws.sets() == STEADY)
    assert len(aws.engine.living) == 2
    assert aws.elb.targets[BLUE] == set()


def test_a_task_set_without_scale_runs_no_tasks(aws: Cloud) -> None:
    aws.create()
    steady(aws)
    made = aws.call(
        "CreateTaskSet",
        cluster=CLUSTER,
        service="service-dev",
        taskDefinition="task-dev",
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )["taskSet"]
    assert made["computedDesiredCount"] == 0
    until(lambda: aws.sets() == {**STEADY, "ACTIVE": "STEADY_STATE"})
    assert len(aws.engine.living) == 2


def test_a_stopping_task_is_deregistered_and_drained_before_its_signal(aws: Cloud) -> None:
    aws.create(desiredCount=1)
    steady(aws)
    address = aws.engine.living[0].address
    aws.elb.draining.add(address)
    update(aws, desiredCount=0)
    until(lambda: "deregister" in aws.engine.journal)
    assert aws.engine.living
    aws.elb.draining.clear()
    until(lambda: not aws.engine.living)
    order = [one for one in aws.engine.journal if one in ("deregister", "stop 60")]
    assert order == ["deregister", "stop 60"]


def test_deleting_a_service_stops_its_tasks_before_it_is_inactive(aws: Cloud) -> None:
    aws.create()
    steady(aws)
    of = {"cluster": CLUSTER, "service": "service-dev"}
    with pytest.raises(AwsError, match="cannot be stopped while it is scaled above 0"):
        aws.call("DeleteService", **of)
    with pytest.raises(AwsError, match="ClusterContainsServicesException"):
        aws.call("DeleteCluster", cluster=CLUSTER)
    assert aws.call("DeleteService", **of, force=True)["service"]["status"] == "DRAINING"
    until(lambda: aws.service()["status"] == "INACTIVE")
    assert aws.engine.living == []
    assert aws.elb.targets[BLUE] == set()
    aws.call("DeleteCluster", cluster=CLUSTER)


def test_a_rolling_update_replaces_the_tasks_once_the_new_ones_are_steady(aws: Cloud) -> None:
    aws.create(deploymentController={"type": "ECS"})
    until(lambda: aws.service()["deployments"][0]["rolloutState"] == "COMPLETED")
    update(aws, taskDefinition=aws.define())
    until(lambda: len(aws.service()["deployments"]) == 1 and aws.service()["runningCount"] == 2)
    assert aws.service()["deployments"][0]["taskDefinition"].endswith(":2")
    until(lambda: len(aws.engine.living) == 2)


PROPERTIES = {
    "Cluster": CLUSTER,
    "ServiceName": "service-dev",
    "TaskDefinition": "task-dev",
    "DesiredCount": "2",
    "LaunchType": "FARGATE",
    "DeploymentController": {"Type": "CODE_DEPLOY"},
    "LoadBalancers": [{"ContainerName": "app", "ContainerPort": 8080, "TargetGroupArn": BLUE}],
    "NetworkConfiguration": {"AwsvpcConfiguration": {"Subnets": ["subnet-1"]}},
    "Tags": [{"Key": "a", "Value": "1"}],
}


def test_a_stack_waits_until_the_service_is_stable_and_until_it_is_deleted(aws: Cloud) -> None:
    kind = aws.ecs.resource_types()["AWS::ECS::Service"]
    arn, attributes = kind.create(PROPERTIES, "Service", "stack-dev")
    assert attributes["Name"] == "service-dev"
    assert aws.sets() == STEADY
    kind.delete(arn, PROPERTIES)
    assert aws.service()["status"] == "INACTIVE"
    assert aws.engine.living == []


def test_a_stack_whose_service_never_runs_fails_with_the_tasks_reasons_and_leaves_no_service(
    aws: Cloud,
) -> None:
    aws.define("missing:1")
    kind = aws.ecs.resource_types()["AWS::ECS::Service"]
    with pytest.raises(AwsError, match=r"(?s)NotStabilized.*CannotPullContainerError"):
        kind.create(PROPERTIES, "Service", "stack-dev")
    assert aws.service()["status"] == "INACTIVE"


def test_a_stack_update_sends_every_parameter_whatever_changed(aws: Cloud) -> None:
    kind = aws.ecs.resource_types()["AWS::ECS::Service"]
    arn, _ = kind.create(PROPERTIES, "Service", "stack-dev")
    assert kind.update is not None
    with pytest.raises(AwsError, match="Unable to update task definition"):
        kind.update(arn, PROPERTIES, {**PROPERTIES, "HealthCheckGracePeriodSeconds": 5})
