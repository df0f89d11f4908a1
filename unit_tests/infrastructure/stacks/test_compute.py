"""The service that CodeDeploy updates, and its first task definition."""

from __future__ import annotations

import json

from unit_tests.infrastructure.synthesized import PROJECT, Templates, plain

SERVICE = "AWS::ECS::Service"


def test_the_properties_of_the_service_are_unchanged(templates: Templates) -> None:
    """ECS rejects most updates under CODE_DEPLOY (pitfalls C1, C2): change this test deliberately."""
    properties = dict(templates.only(SERVICE).properties)
    network = properties.pop("NetworkConfiguration")["AwsvpcConfiguration"]
    (balancer,) = properties.pop("LoadBalancers")
    assert str(plain(properties.pop("Cluster"))).startswith("<Cluster")
    assert {tag["Key"] for tag in properties.pop("Tags")} == {
        "project",
        "service",
        "environment",
        "managed-by",
        "cost-centre",
    }
    assert network["AssignPublicIp"] == "DISABLED"
    assert len(network["Subnets"]) == 2
    assert len(network["SecurityGroups"]) == 1
    assert (balancer["ContainerName"], balancer["ContainerPort"]) == ("app", 8080)
    assert "Blue" in balancer["TargetGroupArn"]["Ref"]
    assert properties == {
        "ServiceName": "service-dev",
        "TaskDefinition": "task-dev",  # a family without a revision (pitfall C3)
        "DeploymentController": {"Type": "CODE_DEPLOY"},
        "DeploymentConfiguration": {"MaximumPercent": 200, "MinimumHealthyPercent": 100},
        "AvailabilityZoneRebalancing": "DISABLED",
        "DesiredCount": 2,
        "EnableECSManagedTags": True,
        "EnableExecuteCommand": False,
        "HealthCheckGracePeriodSeconds": 60,
        "LaunchType": "FARGATE",
        "PlatformVersion": "LATEST",
        "PropagateTags": "SERVICE",
    }


def test_the_service_is_created_after_its_task_definition_and_the_listeners(templates: Templates) -> None:
    """ECS rejects a target group without a listener (pitfall B7); the listeners are in an earlier stack."""
    task = templates.only("AWS::ECS::TaskDefinition")
    assert task.id in templates.only(SERVICE).depends_on
    (compute,) = [stack for stack in templates.resources(part="root") if stack.id.startswith("Compute")]
    assert any(id_.startswith("Network") for id_ in compute.depends_on)


def test_the_first_task_is_a_public_image_that_needs_no_push(templates: Templates) -> None:
    task = templates.only("AWS::ECS::TaskDefinition").properties
    (container,) = task["ContainerDefinitions"]
    assert container["Image"] == "public.ecr.aws/docker/library/python:3.9-slim"
    assert container["Command"][:2] == ["python", "-c"]
    compile(container["Command"][2], "bootstrap server", "exec")
    assert container["StopTimeout"] > 30  # the deregistration delay (pitfall N2)


def test_the_first_task_has_the_name_port_family_and_size_that_build_fills_in(
    templates: Templates,
) -> None:
    """Name, port, family and platform of both must agree, or CodeDeploy fails (pitfall B2)."""
    task = templates.only("AWS::ECS::TaskDefinition").properties
    (container,) = task["ContainerDefinitions"]
    assert [container["Name"]] == [variables(templates)["CONTAINER_NAME"]]
    assert str(container["PortMappings"][0]["ContainerPort"]) == variables(templates)["CONTAINER_PORT"]
    assert task["Family"] == variables(templates)["TASK_FAMILY"]
    assert task["Cpu"] == variables(templates)["TASK_CPU"]
    assert task["Memory"] == variables(templates)["TASK_MEMORY"]


def test_the_first_task_runs_on_the_platform_of_taskdef_json(templates: Templates) -> None:
    task = templates.only("AWS::ECS::TaskDefinition").properties
    (container,) = task["ContainerDefinitions"]
    released = json.loads((PROJECT / "taskdef.json").read_text("utf-8"))
    (contract,) = released["containerDefinitions"]
    assert task["NetworkMode"] == released["networkMode"]
    assert task["RequiresCompatibilities"] == released["requiresCompatibilities"]
    assert task["RuntimePlatform"] == {
        "CpuArchitecture": released["runtimePlatform"]["cpuArchitecture"],
        "OperatingSystemFamily": released["runtimePlatform"]["operatingSystemFamily"],
    }
    assert container["StopTimeout"] == contract["stopTimeout"]
    assert container["ReadonlyRootFilesystem"] == contract["readonlyRootFilesystem"]


def variables(templates: Templates) -> dict[str, str]:
    projects = [each.properties for each in templates.resources("AWS::CodeBuild::Project")]
    (environment,) = [one["Environment"] for one in projects if "TASK_CPU" in json.dumps(one["Environment"])]
    return {each["Name"]: each["Value"] for each in environment["EnvironmentVariables"]}


def test_the_task_writes_to_a_group_of_the_stack(templates: Templates) -> None:
    (container,) = templates.only("AWS::ECS::TaskDefinition").properties["ContainerDefinitions"]
    group = templates.only("AWS::Logs::LogGroup", LogGroupName="/ecs/task-dev")
    assert plain(container["LogConfiguration"]["Options"]) == {
        "awslogs-group": f"<{group.id}>",
        "awslogs-stream-prefix": "app",
        "awslogs-region": "us-east-1",
    }


def test_container_insights_write_to_a_group_that_is_created_before_the_cluster(templates: Templates) -> None:
    """So it is deleted after the cluster, which is deleted after the service (pitfall H3)."""
    cluster = templates.only("AWS::ECS::Cluster")
    assert cluster.properties["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enabled"}]
    name = "/aws/ecs/containerinsights/cluster-dev/performance"
    assert templates.only("AWS::Logs::LogGroup", LogGroupName=name).id in cluster.depends_on
    assert cluster.id in templates.only(SERVICE).depends_on


def test_size_and_count_come_from_the_context(other: Templates) -> None:
    assert other.only(SERVICE).properties["DesiredCount"] == 3
    task = other.only("AWS::ECS::TaskDefinition").properties
    assert (task["Cpu"], task["Memory"]) == ("512", "1024")
    assert variables(other)["TASK_MEMORY"] == "1024"
