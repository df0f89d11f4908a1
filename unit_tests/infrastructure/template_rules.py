"""Rules for the synthesized templates: one function for each, named after its pitfall."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from tools.assembly import references
from unit_tests.infrastructure.role_references import roles_named
from unit_tests.infrastructure.synthesized import PROJECT, Templates, plain, statements

Rule = Callable[[Templates], None]

LONGEST_ACTION_VALUE = 1000  # characters, of an action's configuration
LOAD_BALANCER_NAME = re.compile(r"(?!internal-)[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,30}[a-zA-Z0-9])?")
REPOSITORY_NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


def b1_the_first_image_needs_no_push(templates: Templates) -> None:
    """The repository is empty until the pipeline has run, and a service that waits for it hangs for hours."""
    (container,) = templates.only("AWS::ECS::TaskDefinition").properties["ContainerDefinitions"]
    assert container["Image"].startswith("public.ecr.aws/")
    assert templates.only("AWS::ECS::Service").properties["DesiredCount"] > 0


def b8_the_test_listener_is_not_public(templates: Templates) -> None:
    """A listener that the CDK opens would make unreleased versions public."""
    test_port = templates.only("AWS::ElasticLoadBalancingV2::Listener", Port=8080).properties
    assert test_port["Protocol"] == "HTTP"
    open_ports = {
        port
        for group in templates.resources("AWS::EC2::SecurityGroup")
        for rule in group.properties.get("SecurityGroupIngress", [])
        if str(plain(rule.get("CidrIp", rule.get("CidrIpv6")))).endswith("/0")
        for port in range(rule["FromPort"], rule["ToPort"] + 1)
    }
    assert open_ports <= {80, 443}


def c4_a_deploy_does_not_release(templates: Templates) -> None:
    """The service does not use a new revision by CloudFormation: only the pipeline updates the service."""
    service = templates.only("AWS::ECS::Service").properties
    assert service["TaskDefinition"] == templates.only("AWS::ECS::TaskDefinition").properties["Family"]
    assert "`cdk deploy` never moves traffic" in (PROJECT / "README.md").read_text("utf-8")


def c7_no_template_uses_cloudformations_own_blue_green(templates: Templates) -> None:
    """AWS rejects its hook in a template with nested stacks."""
    for template in templates.by_part.values():
        assert "Hooks" not in template
        assert "AWS::CodeDeployBlueGreen" not in str(template.get("Transform"))


def c8_nothing_scales_in_the_middle_of_a_release(templates: Templates) -> None:
    """A scaling event in between fails the deployment: its start suspends the scaling, its end resumes it."""
    rules = {rule.properties["Name"]: rule.properties for rule in templates.resources("AWS::Events::Rule")}
    if templates.resources("AWS::ApplicationAutoScaling::ScalableTarget"):
        (suspends,) = (rule for name, rule in rules.items() if name.startswith("scaling-deployments-"))
        assert {"START", "SUCCESS", "FAILURE", "STOP"} <= {*suspends["EventPattern"]["detail"]["state"]}


def c9_the_service_has_one_deployment_group(templates: Templates) -> None:
    """CodeDeploy rejects a second one for the same service."""
    assert len(templates.resources("AWS::ECS::Service")) == 1
    templates.only("AWS::CodeDeploy::DeploymentGroup")


def d4_no_action_exceeds_the_length_of_a_configuration_value(templates: Templates) -> None:
    """AWS rejects a longer value when the pipeline is created."""
    for action in _actions(templates):
        for value in plain(action["Configuration"]).values():
            assert len(str(value)) <= LONGEST_ACTION_VALUE


def d5_the_deploy_action_has_the_permissions_of_its_page(templates: Templates) -> None:
    """For a missing permission, the error is only `does not have sufficient permissions`."""
    may = _may(templates, "deploy-action-role-")
    assert may >= {
        "codedeploy:CreateDeployment",
        "codedeploy:GetApplication",
        "codedeploy:GetApplicationRevision",
        "codedeploy:GetDeployment",
        "codedeploy:GetDeploymentConfig",
        "codedeploy:RegisterApplicationRevision",
        "ecs:RegisterTaskDefinition",
        "iam:PassRole",
        "kms:Decrypt",
        "s3:GetObject",
    }


def d6_tags_of_a_task_definition_have_their_permission(templates: Templates) -> None:
    """Tags in taskdef.json need ecs:TagResource, which AWS's page for the action omits."""
    tagged = '"tags"' in (PROJECT / "taskdef.json").read_text("utf-8")
    assert not tagged or "ecs:TagResource" in _may(templates, "deploy-action-role-")


def d9_the_build_role_has_the_permissions_of_a_build(templates: Templates) -> None:
    """Sign in, push, write the log, and read and write artifacts; the tests' role reports."""
    may = _may(templates, "build-role-")
    assert may >= {"ecr:GetAuthorizationToken", "ecr:PutImage", "logs:PutLogEvents", "kms:GenerateDataKey"}
    assert may >= {"s3:GetObject", "s3:PutObject"}
    assert _may(templates, "test-role-") >= {"s3:GetObject", "logs:PutLogEvents", "codebuild:CreateReport"}


def f11_the_build_role_may_sign_in_to_public_ecr(templates: Templates) -> None:
    """Pulls without a login share a limit of one a second with everybody at CodeBuild's address."""
    may = _may(templates, "build-role-")
    assert may >= {"ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"}


def g2_no_notification_rule_of_codestar(templates: Templates) -> None:
    """It needs a principal of its own in the topic's and the key's policies."""
    assert not [each for each in templates.resources() if "CodeStarNotifications" in each.type]


def h1_every_function_logs_to_a_group_of_the_stack(templates: Templates) -> None:
    """By default it creates a group that never expires and that no stack deletes."""
    for function in templates.resources("AWS::Lambda::Function"):
        (group,) = references(function.properties["LoggingConfig"])
        assert group in {each.id for each in templates.resources("AWS::Logs::LogGroup", function.stack)}


def h4_no_log_group_has_a_customer_managed_key(templates: Templates) -> None:
    """The key policy would have to allow CloudWatch Logs, or the group cannot be created."""
    for group in templates.resources("AWS::Logs::LogGroup"):
        assert "KmsKeyId" not in group.properties


def h7_nothing_delivers_logs_to_a_bucket_that_is_emptied(templates: Templates) -> None:
    """Logs that arrive after the bucket was emptied block its deletion: the load balancer goes before."""
    assert not any(
        "LoggingConfiguration" in each.properties for each in templates.resources("AWS::S3::Bucket")
    )
    for balancer in templates.resources("AWS::ElasticLoadBalancingV2::LoadBalancer"):
        attributes = {each["Key"]: each["Value"] for each in balancer.properties["LoadBalancerAttributes"]}
        if attributes["access_logs.s3.enabled"] == "true":
            (emptied,) = [
                each.id
                for each in templates.resources("Custom::S3AutoDeleteObjects", balancer.stack)
                if each.properties["BucketName"] == attributes["access_logs.s3.bucket"]
            ]
            assert emptied in balancer.depends_on
        assert attributes.get("connection_logs.s3.enabled", "false") == "false"


def h8_the_pipeline_uses_our_bucket_and_key(templates: Templates) -> None:
    """The CDK's own would be retained."""
    store = templates.only("AWS::CodePipeline::Pipeline").properties["ArtifactStore"]
    (bucket,) = templates.resources("AWS::S3::Bucket", "pipeline")
    assert references(store["Location"]) == {bucket.id}
    assert references(store["EncryptionKey"]["Id"]) <= {
        each.id for each in templates.resources("AWS::KMS::Key")
    }
    assert bucket.body["DeletionPolicy"] == "Delete"


def h9_the_default_security_group_admits_nothing(templates: Templates) -> None:
    """CloudFormation cannot remove its rules; the function that does logs to a group of the stack."""
    vpcs = {each.id for each in templates.resources("AWS::EC2::VPC")}
    closed = {
        id_
        for each in templates.resources("Custom::VpcRestrictDefaultSG")
        for id_ in references(each.properties["DefaultSecurityGroupId"])
    }
    assert vpcs
    assert vpcs == closed


def i3_a_role_is_deleted_after_the_resources_that_use_it(templates: Templates) -> None:
    """Only a reference, or a parameter with one, determines that order."""
    found = 0
    for resource in templates.resources():
        for role in roles_named(resource.properties):
            assert references(role), f"{resource.id} names its role by text"
            found += 1
    assert found >= len(templates.resources("AWS::IAM::Role"))


def i4_no_nested_stack_is_retained(templates: Templates) -> None:
    """A nested stack that is retained would leave its parent in DELETE_FAILED."""
    for stack in templates.resources("AWS::CloudFormation::Stack"):
        assert stack.body["DeletionPolicy"] == "Delete"


def i5_no_build_runs_in_the_vpc(templates: Templates) -> None:
    """Its network interfaces would remain and block the deletion of the subnets."""
    for project in templates.resources("AWS::CodeBuild::Project"):
        assert "VpcConfig" not in project.properties


def i6_repositories_and_buckets_are_emptied_first(templates: Templates) -> None:
    """Images, artifacts and protection block a deletion; commits are deleted too, so the README warns."""
    assert all(
        each.properties["EmptyOnDelete"] is True for each in templates.resources("AWS::ECR::Repository")
    )
    buckets = {each.id for each in templates.resources("AWS::S3::Bucket")}
    emptied = {
        id_
        for each in templates.resources("Custom::S3AutoDeleteObjects")
        for id_ in references(each.properties["BucketName"])
    }
    assert buckets <= emptied
    assert "keep a clone" in (PROJECT / "README.md").read_text("utf-8")


def j1_tasks_reach_the_registry_through_nat(templates: Templates) -> None:
    """Endpoints do not reach public ECR, where the first image is."""
    routes = templates.resources("AWS::EC2::Route")
    out = {
        str(plain(each.properties["RouteTableId"])) for each in routes if "NatGatewayId" in each.properties
    }
    tables = {
        str(plain(each.properties["SubnetId"])): str(plain(each.properties["RouteTableId"]))
        for each in templates.resources("AWS::EC2::SubnetRouteTableAssociation")
    }
    private = {subnet for subnet, table in tables.items() if table in out}
    service = templates.only("AWS::ECS::Service").properties["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert len(private) == len(service["Subnets"]) == 2
    assert all("Private" in str(plain(subnet)) for subnet in service["Subnets"])
    assert service["AssignPublicIp"] == "DISABLED"


def j2_zones_are_resolved_at_deploy_time_and_the_processor_runs_in_each(templates: Templates) -> None:
    """Accounts map zone names differently, and not every zone has ARM."""
    zones = [each.properties["AvailabilityZone"] for each in templates.resources("AWS::EC2::Subnet")]
    assert {str(zone) for zone in zones} == {
        str({"Fn::Select": [index, {"Fn::GetAZs": ""}]}) for index in (0, 1)
    }
    task = templates.only("AWS::ECS::TaskDefinition").properties
    assert task["RuntimePlatform"]["CpuArchitecture"] == "X86_64"


def j4_layers_of_images_bypass_nat(templates: Templates) -> None:
    """ECR stores them in S3, whose gateway endpoint is free."""
    private = {
        id_
        for each in templates.resources("AWS::EC2::Route")
        if "NatGatewayId" in each.properties
        for id_ in references(each.properties["RouteTableId"])
    }
    endpoint = templates.only("AWS::EC2::VPCEndpoint", VpcEndpointType="Gateway").properties
    assert plain(endpoint["ServiceName"]) == "com.amazonaws.<AWS::Region>.s3"
    assert private
    assert references(endpoint["RouteTableIds"]) == private


def k2_no_template_is_empty(templates: Templates) -> None:
    """CloudFormation rejects a nested stack without resources."""
    assert all(template["Resources"] for template in templates.by_part.values())


def k5_the_names_of_replaceable_resources_are_pinned(templates: Templates) -> None:
    """A changed name replaces the resource with its contents, or fails: change this rule deliberately."""
    suffix = str(templates.only("AWS::ECS::Service").properties["ServiceName"]).removeprefix("service-")
    for bucket in templates.resources("AWS::S3::Bucket"):
        assert f"-{suffix}" in str(plain(bucket.properties["BucketName"]))
    for type_, key, names in (
        ("AWS::CodeCommit::Repository", "RepositoryName", ["repository"]),
        ("AWS::ECR::Repository", "RepositoryName", ["images"]),
        ("AWS::ECS::Cluster", "ClusterName", ["cluster"]),
        ("AWS::ECS::Service", "ServiceName", ["service"]),
        ("AWS::ECS::TaskDefinition", "Family", ["task"]),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "Name", ["load-balancer"]),
        ("AWS::ElasticLoadBalancingV2::TargetGroup", "Name", ["target-group-blue", "target-group-green"]),
    ):
        found = sorted(str(each.properties[key]) for each in templates.resources(type_))
        assert found == [f"{name}-{suffix}" for name in names]


def l_names_have_the_characters_that_aws_allows(templates: Templates) -> None:
    """Load balancers and target groups: 32 letters, digits and hyphens; images: lower case only."""
    kind = "AWS::ElasticLoadBalancingV2::"
    for each in (*templates.resources(f"{kind}LoadBalancer"), *templates.resources(f"{kind}TargetGroup")):
        assert LOAD_BALANCER_NAME.fullmatch(each.properties["Name"])
    for each in templates.resources("AWS::ECR::Repository"):
        assert REPOSITORY_NAME.fullmatch(each.properties["RepositoryName"])


def _actions(templates: Templates) -> Iterator[dict[str, Any]]:
    for stage in templates.only("AWS::CodePipeline::Pipeline").properties["Stages"]:
        yield from stage["Actions"]


def _may(templates: Templates, name: str) -> set[str]:
    (role,) = [
        each
        for each in templates.resources("AWS::IAM::Role")
        if str(plain(each.properties["RoleName"])).startswith(name)
    ]
    return {action for statement in statements(role) for action in statement["Action"]}


RULES: dict[str, Rule] = {
    name: rule for name, rule in globals().items() if re.match(r"[a-n]\d*_", name) and callable(rule)
}
