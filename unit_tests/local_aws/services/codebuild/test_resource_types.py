"""AWS::CodeBuild::Project and AWS::CodeBuild::ReportGroup are created, updated and deleted."""

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codebuild.fakes import ROLE, World

PROPERTIES = {
    "Name": "from-template",
    "ServiceRole": ROLE,
    "Source": {"Type": "CODEPIPELINE", "BuildSpec": "buildspec.yml"},
    "Artifacts": {"Type": "CODEPIPELINE"},
    "Environment": {
        "Type": "LINUX_CONTAINER",
        "Image": "aws/codebuild/standard:7.0",
        "ComputeType": "BUILD_GENERAL1_SMALL",
        "PrivilegedMode": "true",
        "EnvironmentVariables": [{"Name": "A", "Type": "PLAINTEXT", "Value": "b"}],
    },
    "Cache": {"Type": "NO_CACHE"},
    "TimeoutInMinutes": "30",
    "Tags": [{"Key": "environment", "Value": "dev"}],
}


def test_cloudformation_creates_and_deletes_a_project(world: World) -> None:
    resource_type = world.codebuild.resource_types()["AWS::CodeBuild::Project"]
    name, attributes = resource_type.create(PROPERTIES, "Build", "stack-dev")
    assert attributes["Arn"] == "arn:aws:codebuild:us-east-1:123456789012:project/from-template"
    project = world.codebuild.call("BatchGetProjects", {"names": [name]})["projects"][0]
    assert project["environment"]["privilegedMode"] is True
    assert project["timeoutInMinutes"] == 30
    assert project["tags"] == [{"key": "environment", "value": "dev"}]
    with pytest.raises(AwsError, match=r"not support the property Environment\.Colour"):
        resource_type.create(PROPERTIES | {"Environment": {"Colour": "red"}}, "Build", "stack-dev")
    resource_type.delete(name, PROPERTIES)
    resource_type.delete(name, PROPERTIES)
    assert name not in world.codebuild.projects


def test_cloudformation_updates_a_project_or_leaves_it_unchanged(world: World) -> None:
    resource_type = world.codebuild.resource_types()["AWS::CodeBuild::Project"]
    name, _ = resource_type.create(PROPERTIES, "Build", "stack-dev")
    assert resource_type.update is not None
    changed = {key: value for key, value in PROPERTIES.items() if key != "TimeoutInMinutes"}
    resource_type.update(name, PROPERTIES, changed)
    assert world.codebuild.find_project(name)["timeoutInMinutes"] == 60
    with pytest.raises(AwsError):
        resource_type.update(name, changed, changed | {"ServiceRole": "none"})
    assert world.codebuild.find_project(name)["serviceRole"] == ROLE


def test_cloudformation_deletes_a_report_group_with_reports_only_with_delete_reports(world: World) -> None:
    resource_type = world.codebuild.resource_types()["AWS::CodeBuild::ReportGroup"]
    properties = {
        "Name": "build-dev-unit-tests",
        "Type": "TEST",
        "ExportConfig": {"ExportConfigType": "NO_EXPORT"},
        "DeleteReports": "true",
    }
    arn, _ = resource_type.create(properties, "Reports", "stack-dev")
    world.codebuild.add_report(arn, "arn:build", [])
    with pytest.raises(AwsError, match="still has reports"):
        resource_type.delete(arn, properties | {"DeleteReports": "false"})
    resource_type.delete(arn, properties)
    assert world.codebuild.report_groups == {}
