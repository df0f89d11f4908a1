"""The pipeline: what starts it, its three stages, and how a release shifts traffic."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from infrastructure.config.settings import DEPLOYMENT_CONFIGS
from unit_tests.infrastructure.synthesized import PROJECT, Templates, plain


def stages(templates: Templates) -> dict[str, dict[str, Any]]:
    pipeline = templates.only("AWS::CodePipeline::Pipeline").properties
    return {stage["Name"]: stage["Actions"][0] for stage in pipeline["Stages"]}


def rule(templates: Templates, name: str) -> dict[str, Any]:
    return templates.only("AWS::Events::Rule", Name=name).properties


def test_the_pipeline_has_exactly_source_build_deploy(templates: Templates) -> None:
    pipeline = templates.only("AWS::CodePipeline::Pipeline").properties
    assert [stage["Name"] for stage in pipeline["Stages"]] == ["Source", "Build", "Deploy"]
    actions = [(each["Name"], each["RunOrder"]) for each in pipeline["Stages"][1]["Actions"]]
    assert actions == [("Test", 1), ("Build", 2)]
    assert [len(stage["Actions"]) for stage in pipeline["Stages"]] == [1, 2, 1]
    providers = [action["ActionTypeId"]["Provider"] for action in stages(templates).values()]
    assert providers == ["CodeCommit", "CodeBuild", "CodeDeployToECS"]
    assert pipeline["PipelineType"] == "V2"
    assert pipeline["ExecutionMode"] == "SUPERSEDED"  # never PARALLEL (pitfall E2)
    assert pipeline["RestartExecutionOnUpdate"] is False


def test_source_uses_main_and_does_not_poll(templates: Templates) -> None:
    configuration = stages(templates)["Source"]["Configuration"]
    assert configuration["BranchName"] == "main"  # pitfall B5
    assert configuration["PollForSourceChanges"] is False  # pitfall E1


def test_deploy_takes_the_three_files_of_the_build(templates: Templates) -> None:
    action = stages(templates)["Deploy"]
    repository = templates.only("AWS::CodeDeploy::Application")
    group = templates.only("AWS::CodeDeploy::DeploymentGroup")
    assert action["InputArtifacts"] == [{"Name": "BuildOutput"}]
    assert plain(action["Configuration"]) == {
        "ApplicationName": f"<{repository.id}>",
        "DeploymentGroupName": f"<{group.id}>",
        "TaskDefinitionTemplateArtifact": "BuildOutput",
        "TaskDefinitionTemplatePath": "taskdef.json",
        "AppSpecTemplateArtifact": "BuildOutput",
        "AppSpecTemplatePath": "appspec.yaml",
        "Image1ArtifactName": "BuildOutput",
        "Image1ContainerName": "IMAGE1_NAME",
    }


def test_the_placeholder_that_deploy_fills_in_is_in_taskdef_json(templates: Templates) -> None:
    name = stages(templates)["Deploy"]["Configuration"]["Image1ContainerName"]
    assert f"<{name}>" in (PROJECT / "taskdef.json").read_text("utf-8")  # pitfall D2


def test_each_action_has_a_role_of_its_own(templates: Templates) -> None:
    roles = {plain(action["RoleArn"]) for action in stages(templates).values()}
    pipeline = templates.only("AWS::CodePipeline::Pipeline").properties
    assert len(roles | {plain(pipeline["RoleArn"])}) == 4


def test_a_push_to_main_starts_the_pipeline_and_nothing_else_does(templates: Templates) -> None:
    properties = rule(templates, "source-rule-dev")
    repository = templates.only("AWS::CodeCommit::Repository")
    assert plain(properties["EventPattern"]) == {
        "source": ["aws.codecommit"],
        "detail-type": ["CodeCommit Repository State Change"],
        "resources": [f"<{repository.id}.Arn>"],
        "detail": {
            "event": ["referenceCreated", "referenceUpdated"],
            "referenceType": ["branch"],
            "referenceName": ["main"],
        },
    }
    (target,) = properties["Targets"]
    pipeline = templates.only("AWS::CodePipeline::Pipeline")
    arn = f"arn:aws:codepipeline:us-east-1:<AWS::AccountId>:<{pipeline.id}>"
    assert plain(target["Arn"]) == arn


def test_the_pipeline_is_created_after_all_that_its_first_execution_needs(templates: Templates) -> None:
    """AWS starts an execution when it is created (pitfall B6)."""
    needed = [
        *templates.resources("AWS::CodeCommit::Repository"),
        *templates.resources("AWS::CodeDeploy::DeploymentGroup"),
        *templates.resources("AWS::CodeBuild::Project"),
        *templates.resources("AWS::CodeBuild::ReportGroup"),
        *templates.resources("AWS::Lambda::Function", part="pipeline"),
        templates.only("AWS::SSM::Parameter", Name="/docker-hub-dev/username"),
        *templates.resources("AWS::S3::BucketPolicy"),
        *templates.resources("AWS::Logs::LogGroup", part="pipeline"),
        *templates.resources("AWS::SNS::TopicPolicy"),
    ]
    roles = templates.resources("AWS::IAM::Role", part="pipeline")
    needed += [role for role in roles if role.properties["RoleName"] != "source-rule-role-dev"]
    # The drift check looks a day later at what there is.
    first = {each.id for each in needed if not each.id.startswith("DriftCheck")}
    assert not first - before(templates, "AWS::CodePipeline::Pipeline")


def before(templates: Templates, type_: str) -> set[str]:
    """Return every logical id that CloudFormation creates before the one resource of this type."""
    resources = {resource.id: resource for resource in templates.resources(part="pipeline")}
    waiting, seen = [templates.only(type_)], set[str]()
    while waiting:
        for id_ in waiting.pop().depends_on & resources.keys() - seen:
            seen.add(id_)
            waiting.append(resources[id_])
    return seen


def test_no_policy_is_outside_its_role(templates: Templates) -> None:
    assert not templates.resources("AWS::IAM::Policy")
    assert not templates.resources("AWS::IAM::ManagedPolicy")


def test_the_repository_is_created_with_main(templates: Templates) -> None:
    repository = templates.only("AWS::CodeCommit::Repository", RepositoryName="repository-dev").properties
    assert repository["Code"]["BranchName"] == "main"  # pitfall B3


def test_the_build_runs_docker_on_the_image_that_has_python_3_9(templates: Templates) -> None:
    project = templates.only("AWS::CodeBuild::Project", Name="build-dev").properties
    assert project["Environment"]["Image"] == "aws/codebuild/standard:7.0"  # pitfall F1
    assert project["Environment"]["PrivilegedMode"] is True  # pitfall F3
    assert project["Environment"]["ComputeType"] == "BUILD_GENERAL1_SMALL"  # pitfall A2


@pytest.mark.parametrize(
    ("project", "file"), [("test-dev", "buildspec.yml"), ("build-dev", "buildspec-image.yml")]
)
def test_a_project_carries_its_buildspec_itself(templates: Templates, project: str, file: str) -> None:
    """A commit's own would be its own judge (attack C2), and a long one is refused (pitfall F14)."""
    source = templates.only("AWS::CodeBuild::Project", Name=project).properties["Source"]
    assert source["Type"] == "CODEPIPELINE"
    carried, written = (
        yaml.safe_load(source["BuildSpec"]),
        yaml.safe_load((PROJECT / file).read_text("utf-8")),
    )
    commands = [phase.pop("commands") for phase in carried["phases"].values()]
    expected = [phase.pop("commands") for phase in written["phases"].values()]
    assert carried == written
    first = [one for one in commands[0] if one.startswith("# Write the platform's files\n")]
    assert [[one for one in each if one not in first] for each in commands] == [
        [one for one in each if one != "write-platform-files"] for each in expected
    ]
    assert len(source["BuildSpec"]) <= 25_600


def test_the_project_of_the_tests_has_no_privileges_and_no_artifact(templates: Templates) -> None:
    project = templates.only("AWS::CodeBuild::Project", Name="test-dev").properties
    assert project["Environment"]["PrivilegedMode"] is False
    assert "artifacts" not in yaml.safe_load(project["Source"]["BuildSpec"])
    (test, _) = templates.only("AWS::CodePipeline::Pipeline").properties["Stages"][1]["Actions"]
    assert not test.get("OutputArtifacts")


def test_a_build_caches_layers_and_downloads_on_its_host(templates: Templates) -> None:
    modes = {"test-dev": ["LOCAL_CUSTOM_CACHE"], "build-dev": ["LOCAL_DOCKER_LAYER_CACHE"]}
    for name, expected in modes.items():
        project = templates.only("AWS::CodeBuild::Project", Name=name).properties
        assert project["Cache"] == {"Type": "LOCAL", "Modes": expected}
    # A build runs as root, whose pip cache is here.
    assert "    - /root/.cache/pip/**/*\n" in (PROJECT / "buildspec.yml").read_text()


def test_the_build_gets_exactly_the_variables_of_the_contract(templates: Templates) -> None:
    environment = templates.only("AWS::CodeBuild::Project", Name="build-dev").properties["Environment"]
    variables = {
        each["Name"]: (each["Type"], plain(each["Value"])) for each in environment["EnvironmentVariables"]
    }
    parameter = templates.only("AWS::SSM::Parameter", Name="/docker-hub-dev/username")
    assert variables["DOCKER_HUB_USERNAME"] == ("PARAMETER_STORE", f"<{parameter.id}>")
    assert variables["DOCKER_HUB_PASSWORD_PARAMETER"] == ("PLAINTEXT", "/docker-hub-dev/password")
    assert {name for name, (kind, _) in variables.items() if kind == "PLAINTEXT"} == {
        "IMAGE_REPOSITORY_URI",
        "TASK_FAMILY",
        "TASK_ROLE_ARN",
        "EXECUTION_ROLE_ARN",
        "TASK_CPU",
        "TASK_MEMORY",
        "TASK_LOG_GROUP",
        "CONTAINER_NAME",
        "CONTAINER_PORT",
        "HEALTH_PATH",
        "TEST_TRAFFIC_HOOK",
        "DOCKER_HUB_PASSWORD_PARAMETER",
        "SIGNING_KEY",
        "SOURCE_URL",
    }


@pytest.mark.parametrize("file", ["taskdef.json", "appspec.yaml"])
def test_the_build_has_every_variable_of_the_contract_files(templates: Templates, file: str) -> None:
    environment = templates.only("AWS::CodeBuild::Project", Name="build-dev").properties["Environment"]
    given = {each["Name"] for each in environment["EnvironmentVariables"]}
    # CodeBuild's own, and the buildspec's own.
    given |= {"AWS_REGION", "COMMIT"}
    assert set(re.findall(r"\$\{(\w+)\}", (PROJECT / file).read_text("utf-8"))) <= given


def test_the_docker_hub_user_is_anonymous_and_no_password_is_in_a_template(templates: Templates) -> None:
    parameter = templates.only("AWS::SSM::Parameter", Name="/docker-hub-dev/username").properties
    assert (parameter["Name"], parameter["Type"]) == ("/docker-hub-dev/username", "String")
    assert parameter["Value"] == "anonymous"


def test_reports_are_in_a_group_of_the_stack_that_is_deleted_with_it(templates: Templates) -> None:
    """CodeBuild would create `{project}-{report}` itself, and no stack would delete it (pitfalls F8, F10)."""
    group = templates.only("AWS::CodeBuild::ReportGroup")
    assert group.properties["Name"] == "unit-tests-dev"
    assert group.properties["DeleteReports"] is True
    project = templates.only("AWS::CodeBuild::Project", Name="test-dev").properties
    given = {each["Name"]: plain(each["Value"]) for each in project["Environment"]["EnvironmentVariables"]}
    assert given["REPORT_GROUP_ARN"] == f"<{group.id}.Arn>"


def test_the_deployment_group_shifts_between_both_listeners_and_rolls_back(templates: Templates) -> None:
    group = templates.only(
        "AWS::CodeDeploy::DeploymentGroup", DeploymentGroupName="deployment-group-dev"
    ).properties
    assert group["DeploymentConfigName"] == "CodeDeployDefault.ECSAllAtOnce"
    assert group["DeploymentStyle"] == {
        "DeploymentOption": "WITH_TRAFFIC_CONTROL",
        "DeploymentType": "BLUE_GREEN",
    }
    wait = group["BlueGreenDeploymentConfiguration"]["TerminateBlueInstancesOnDeploymentSuccess"]
    assert wait == {"Action": "TERMINATE", "TerminationWaitTimeInMinutes": 2}  # pitfall N3
    assert set(group["AutoRollbackConfiguration"]["Events"]) == {
        "DEPLOYMENT_FAILURE",
        "DEPLOYMENT_STOP_ON_REQUEST",
        "DEPLOYMENT_STOP_ON_ALARM",
    }
    (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    assert "Production" in str(pair["ProdTrafficRoute"])
    assert "Test" in str(pair["TestTrafficRoute"])
    assert ["Blue" in str(pair["TargetGroups"][0]), "Green" in str(pair["TargetGroups"][1])] == [True, True]


@pytest.mark.parametrize("name", DEPLOYMENT_CONFIGS)
def test_the_deployment_configurations_that_config_admits_are_ecs_ones(name: str) -> None:
    assert name.startswith("CodeDeployDefault.ECS")


def test_configuration_and_wait_come_from_the_context(other: Templates) -> None:
    group = other.only("AWS::CodeDeploy::DeploymentGroup").properties
    assert group["DeploymentConfigName"] == "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"
    wait = group["BlueGreenDeploymentConfiguration"]["TerminateBlueInstancesOnDeploymentSuccess"]
    assert wait["TerminationWaitTimeInMinutes"] == 7
