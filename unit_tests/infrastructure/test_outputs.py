"""The root stack's outputs, which the harness reads."""

from __future__ import annotations

import pytest

from infrastructure.outputs import Outputs
from unit_tests.infrastructure.synthesized import Templates, plain

DEPLOYED = {key: f"value of {key}" for key in Outputs.keys()}  # noqa: SIM118  # a class, not a mapping


def test_the_root_stack_has_every_output_and_no_other(templates: Templates) -> None:
    assert set(templates.by_part["root"]["Outputs"]) == set(Outputs.keys())


def test_the_keys_are_those_of_the_contract() -> None:
    assert set(Outputs.keys()) == {
        "Region",
        "ServiceUrl",
        "TestUrl",
        "LoadBalancerDnsName",
        "CloneUrlHttp",
        "RepositoryName",
        "PipelineName",
        "PipelineArn",
        "TestProjectName",
        "BuildProjectName",
        "ApplicationName",
        "DeploymentGroupName",
        "ClusterName",
        "ServiceName",
        "ImageRepositoryName",
        "ImageRepositoryUri",
        "ArtifactBucketName",
        "TopicArn",
        "TaskLogGroupName",
        "TestLogGroupName",
        "BuildLogGroupName",
        "TrafficHookLogGroupName",
        "EventLogGroupName",
        "DashboardUrl",
    }


def test_the_urls_are_those_of_the_two_listeners(templates: Templates) -> None:
    outputs = templates.by_part["root"]["Outputs"]
    production, test = plain(outputs["ServiceUrl"]["Value"]), plain(outputs["TestUrl"]["Value"])
    assert production.startswith("http://")
    assert production.endswith("DNSName>")
    assert test == f"{production}:8080"


def test_the_load_balancer_and_the_region_have_outputs_of_their_own(templates: Templates) -> None:
    outputs = templates.by_part["root"]["Outputs"]
    host = plain(outputs["LoadBalancerDnsName"]["Value"])
    assert plain(outputs["ServiceUrl"]["Value"]) == f"http://{host}"
    assert outputs["Region"]["Value"] == "us-east-1"


@pytest.mark.parametrize(
    ("key", "part", "name"),
    [
        ("TaskLogGroupName", "compute", "/ecs/task-dev"),
        ("TestLogGroupName", "pipeline", "/codebuild/test-dev"),
        ("BuildLogGroupName", "pipeline", "/codebuild/build-dev"),
        ("TrafficHookLogGroupName", "pipeline", "/lambda/test-traffic-hook-dev"),
        ("EventLogGroupName", "pipeline", "/aws/events/pipeline-dev"),
    ],
)
def test_the_log_groups_have_outputs(templates: Templates, key: str, part: str, name: str) -> None:
    (_, output) = templates.by_part["root"]["Outputs"][key]["Value"]["Fn::GetAtt"]
    exported = templates.by_part[part]["Outputs"][output.removeprefix("Outputs.")]["Value"]
    group = templates.only("AWS::Logs::LogGroup", LogGroupName=name)
    assert exported == {"Ref": group.id}


def test_the_pipeline_arn_and_the_image_repository_uri_are_those_that_aws_gives(templates: Templates) -> None:
    outputs = templates.by_part["root"]["Outputs"]
    arn, uri = plain(outputs["PipelineArn"]["Value"]), plain(outputs["ImageRepositoryUri"]["Value"])
    assert arn.startswith("arn:aws:codepipeline:us-east-1:<AWS::AccountId>:")
    assert ".dkr.ecr." in uri
    assert uri.partition("/")[0].endswith(".<AWS::URLSuffix>")


def test_outputs_are_read_from_a_deployed_stack() -> None:
    assert Outputs.from_stack({**DEPLOYED, "Else": "x"}).clone_url_http == "value of CloneUrlHttp"


def test_a_missing_output_is_named() -> None:
    with pytest.raises(KeyError, match="TopicArn"):
        Outputs.from_stack({key: value for key, value in DEPLOYED.items() if key != "TopicArn"})


def test_no_template_exports_a_name(templates: Templates) -> None:
    """Exports of nested stacks break the change sets of the CLI (pitfall K3)."""
    for template in templates.by_part.values():
        assert not [output for output in template.get("Outputs", {}).values() if "Export" in output]
