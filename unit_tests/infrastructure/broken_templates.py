"""The edits that break each rule: (type of the resource, edit)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Body = dict[str, Any]
Edit = Callable[[Body], object]
TASK = "AWS::ECS::TaskDefinition"
SERVICE = "AWS::ECS::Service"
BALANCER = "AWS::ElasticLoadBalancingV2::LoadBalancer"
GROUP = "AWS::CodeDeploy::DeploymentGroup"
ROLE = "AWS::IAM::Role"


def put(*path: str | int, value: object) -> Edit:
    """Set one property of a resource's body; a missing step is created."""

    def edit(body: Body) -> None:
        place: Any = body
        for step in path[:-1]:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        place[path[-1]] = value

    return edit


def prop(*path: str | int, value: object) -> Edit:
    return put("Properties", *path, value=value)


def become(type_: str) -> Edit:
    """Change the type of the resource."""
    return put("Type", value=type_)


def without(*actions: str) -> Edit:
    """Remove actions from the statements of a role."""

    def edit(body: Body) -> None:
        for policy in body["Properties"].get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                given = (
                    statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                )
                statement["Action"] = [action for action in given if action not in actions]

    return edit


def attribute(key: str, value: str) -> Edit:
    return lambda body: body["Properties"]["LoadBalancerAttributes"].append({"Key": key, "Value": value})


OPEN = {"CidrIp": "0.0.0.0/0", "FromPort": 8000, "ToPort": 8100, "IpProtocol": "tcp"}

BREAKS: dict[str, list[tuple[str, Edit]]] = {
    "b1_the_first_image_needs_no_push": [
        (
            TASK,
            prop("ContainerDefinitions", 0, "Image", value="1.dkr.ecr.us-east-1.amazonaws.com/images-dev"),
        ),
        (SERVICE, prop("DesiredCount", value=0)),
    ],
    "b8_the_test_listener_is_not_public": [
        ("AWS::EC2::SecurityGroup", prop("SecurityGroupIngress", value=[OPEN])),
    ],
    "c4_a_deploy_does_not_release": [(SERVICE, prop("TaskDefinition", value={"Ref": "ComputeTask"}))],
    "c7_no_template_uses_cloudformations_own_blue_green": [],
    "c8_nothing_scales_in_the_middle_of_a_release": [
        ("AWS::SNS::Topic", become("AWS::ApplicationAutoScaling::ScalableTarget"))
    ],
    "c9_the_service_has_one_deployment_group": [("AWS::SNS::Topic", become(GROUP))],
    "d4_no_action_exceeds_the_length_of_a_configuration_value": [
        (
            "AWS::CodePipeline::Pipeline",
            prop("Stages", 0, "Actions", 0, "Configuration", "EnvironmentVariables", value="x" * 1001),
        )
    ],
    "d5_the_deploy_action_has_the_permissions_of_its_page": [
        (ROLE, without("codedeploy:GetDeploymentConfig"))
    ],
    "d6_tags_of_a_task_definition_have_their_permission": [],
    "d9_the_build_role_has_the_permissions_of_a_build": [(ROLE, without("ecr:PutImage"))],
    "f11_the_build_role_may_sign_in_to_public_ecr": [
        (ROLE, without("ecr-public:GetAuthorizationToken")),
        (ROLE, without("sts:GetServiceBearerToken")),
    ],
    "g2_no_notification_rule_of_codestar": [
        ("AWS::SNS::Topic", become("AWS::CodeStarNotifications::NotificationRule"))
    ],
    "h1_every_function_logs_to_a_group_of_the_stack": [
        ("AWS::Lambda::Function", prop("LoggingConfig", value={"LogGroup": "/aws/lambda/x"}))
    ],
    "h4_no_log_group_has_a_customer_managed_key": [("AWS::Logs::LogGroup", prop("KmsKeyId", value="key"))],
    "h7_nothing_delivers_logs_to_a_bucket_that_is_emptied": [
        ("AWS::S3::Bucket", prop("LoggingConfiguration", value={})),
        (BALANCER, attribute("access_logs.s3.enabled", "true")),
    ],
    "h8_the_pipeline_uses_our_bucket_and_key": [
        ("AWS::CodePipeline::Pipeline", prop("ArtifactStore", "Location", value="somebodys-bucket")),
        ("AWS::S3::Bucket", put("DeletionPolicy", value="Retain")),
    ],
    "h9_the_default_security_group_admits_nothing": [
        ("Custom::VpcRestrictDefaultSG", prop("DefaultSecurityGroupId", value={"Ref": "Another"})),
    ],
    "i3_a_role_is_deleted_after_the_resources_that_use_it": [
        (GROUP, prop("ServiceRoleArn", value="arn:aws:iam::123456789012:role/deployment-role-dev")),
        (
            "AWS::CodePipeline::Pipeline",
            prop("Stages", 0, "Actions", 0, "RoleArn", value="arn:aws:iam::1:role/x"),
        ),
    ],
    "i4_no_nested_stack_is_retained": [("AWS::CloudFormation::Stack", put("DeletionPolicy", value="Retain"))],
    "i5_no_build_runs_in_the_vpc": [("AWS::CodeBuild::Project", prop("VpcConfig", value={}))],
    "i6_repositories_and_buckets_are_emptied_first": [
        ("AWS::ECR::Repository", prop("EmptyOnDelete", value=False)),
        ("Custom::S3AutoDeleteObjects", prop("BucketName", value={"Ref": "Another"})),
    ],
    "j1_tasks_reach_the_registry_through_nat": [
        ("AWS::EC2::Route", lambda body: body["Properties"].pop("NatGatewayId", None)),
        (SERVICE, prop("NetworkConfiguration", "AwsvpcConfiguration", "AssignPublicIp", value="ENABLED")),
    ],
    "j2_zones_are_resolved_at_deploy_time_and_the_processor_runs_in_each": [
        ("AWS::EC2::Subnet", prop("AvailabilityZone", value="us-east-1a")),
        (TASK, prop("RuntimePlatform", "CpuArchitecture", value="ARM64")),
    ],
    "j4_layers_of_images_bypass_nat": [
        ("AWS::EC2::VPCEndpoint", become("AWS::SNS::Topic")),
        ("AWS::EC2::VPCEndpoint", prop("RouteTableIds", value=[])),
    ],
    "k2_no_template_is_empty": [],
    "k5_the_names_of_replaceable_resources_are_pinned": [
        ("AWS::ECR::Repository", prop("RepositoryName", value="image-dev")),
        (BALANCER, prop("Name", value="alb-dev")),
    ],
    "l_names_have_the_characters_that_aws_allows": [
        (BALANCER, prop("Name", value="internal-load-balancer-dev")),
        (
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            prop("Name", value="target-group-green-a-longer-suffix"),
        ),
        ("AWS::ECR::Repository", prop("RepositoryName", value="Images-dev")),
    ],
}
