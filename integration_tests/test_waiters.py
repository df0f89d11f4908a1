"""boto3's waiters, which `aws ... wait` uses too, end as they do on AWS.

ECS's services_stable never ends with the CODE_DEPLOY controller: it counts `deployments`, which are empty.
"""

import pytest

from harness.cloud import Cloud
from harness.stacks import CREATED, temporary_stack
from integration_tests.pitfalls.service import BlueGreenService, service

pytestmark = [pytest.mark.slow, pytest.mark.local_only("its stack has no bootstrapped bucket")]

SOON = {"Delay": 1, "MaxAttempts": 60}


def test_the_waiters_of_a_service_and_its_release(cloud: Cloud) -> None:
    resources = service(cloud)
    ecs, elbv2, codedeploy, cloudformation = (
        cloud.client(name) for name in ("ecs", "elbv2", "codedeploy", "cloudformation")
    )
    with temporary_stack(cloud, resources) as stack:
        assert stack.final_status() == CREATED, stack.failures()
        one = BlueGreenService(stack, resources)
        cloudformation.get_waiter("stack_create_complete").wait(StackName=stack.name, WaiterConfig=SOON)
        balancer = stack.physical_name("load-balancer-the-suffix")
        elbv2.get_waiter("load_balancer_available").wait(Names=[balancer], WaiterConfig=SOON)
        cluster, name = one.names["cluster"], one.names["service"]
        tasks = ecs.list_tasks(cluster=cluster, serviceName=name)["taskArns"]
        assert len(tasks) == 2
        ecs.get_waiter("tasks_running").wait(cluster=cluster, tasks=tasks, WaiterConfig=SOON)
        blue = elbv2.describe_target_groups(Names=[stack.physical_name("target-group-blue-the-suffix")])
        group = blue["TargetGroups"][0]["TargetGroupArn"]
        elbv2.get_waiter("target_in_service").wait(TargetGroupArn=group, WaiterConfig=SOON)
        health = elbv2.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        blues = {"TargetGroupArn": group, "Targets": [target["Target"] for target in health]}

        deployment = one.release()["deploymentId"]
        codedeploy.get_waiter("deployment_successful").wait(deploymentId=deployment, WaiterConfig=SOON)
        ecs.get_waiter("tasks_stopped").wait(cluster=cluster, tasks=tasks, WaiterConfig=SOON)
        elbv2.get_waiter("target_deregistered").wait(**blues, WaiterConfig=SOON)
    elbv2.get_waiter("load_balancers_deleted").wait(Names=[balancer], WaiterConfig=SOON)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack.name, WaiterConfig=SOON)
