"""AWS::CodePipeline::Pipeline is created, updated and deleted."""

from typing import Any

import pytest

from local_aws.core.api import AwsError
from unit_tests.local_aws.services.codepipeline.declarations import declaration
from unit_tests.local_aws.services.codepipeline.fakes import FakeCloud, until

ARN = "arn:aws:codepipeline:us-east-1:123456789012:pipeline-dev"
ROLE = "arn:aws:iam::123456789012:role/pipeline-role-prod"


def pascal(value: Any) -> Any:
    """Return a declaration as a template writes it."""
    if isinstance(value, list):
        return [pascal(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key[0].upper() + key[1:]: item if key == "configuration" else pascal(item)
        for key, item in value.items()
    }


def template(**changes: Any) -> dict[str, Any]:
    """Return the shipped pipeline as CloudFormation properties."""
    return {
        **pascal(declaration()),
        "RestartExecutionOnUpdate": False,
        "Tags": [{"Key": "suffix", "Value": "dev"}],
        **changes,
    }


def test_cloudformation_creates_updates_and_deletes_a_pipeline(cloud: FakeCloud) -> None:
    resource_type = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    name, attributes = resource_type.create(template(), "Pipeline", "stack-dev")
    assert (name, attributes) == ("pipeline-dev", {"Version": "1"})
    assert cloud.call("ListTagsForResource", resourceArn=ARN)["tags"] == [{"key": "suffix", "value": "dev"}]
    cloud.ended(cloud.newest())
    assert resource_type.update is not None
    changed = template(RoleArn=ROLE, Tags=[])
    assert resource_type.update(name, template(), changed) == {"Version": "2"}
    assert (len(cloud.summaries()), cloud.call("ListTagsForResource", resourceArn=ARN)["tags"]) == (1, [])
    resource_type.update(name, changed, {**changed, "RestartExecutionOnUpdate": "true"})
    assert len(cloud.summaries()) == 2
    cloud.ended(cloud.newest())
    resource_type.delete(name, changed)
    assert cloud.call("ListPipelines")["pipelines"] == []


def test_the_tags_of_cloudformation_are_listed_and_callers_cannot_set_them(cloud: FakeCloud) -> None:
    resource_type = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    reserved = {"Key": "aws:cloudformation:stack-name", "Value": "stack-dev"}
    properties = template(Tags=[reserved, {"Key": "suffix", "Value": "dev"}])
    resource_type.create(properties, "Pipeline", "stack-dev")
    shown = {"key": reserved["Key"], "value": "stack-dev"}
    assert cloud.call("ListTagsForResource", resourceArn=ARN)["tags"] == [
        shown,
        {"key": "suffix", "value": "dev"},
    ]
    with pytest.raises(AwsError, match="InvalidTagsException"):
        cloud.call("UntagResource", resourceArn=ARN, tagKeys=[reserved["Key"]])
    with pytest.raises(AwsError, match="InvalidTagsException"):
        cloud.call("TagResource", resourceArn=ARN, tags=[{**shown, "value": "mine"}])
    assert resource_type.update is not None
    resource_type.update("pipeline-dev", properties, template(Tags=[reserved]))
    assert cloud.call("ListTagsForResource", resourceArn=ARN)["tags"] == [shown]
    cloud.ended(cloud.newest())


def test_cloudformation_accepts_booleans_and_numbers_as_templates_write_them(cloud: FakeCloud) -> None:
    properties = template()
    properties["Stages"][0]["Actions"][0]["Configuration"]["PollForSourceChanges"] = False
    properties["Stages"][0]["Actions"][0]["RunOrder"] = "1"
    resource_type = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    resource_type.create(properties, "Pipeline", "stack-dev")
    first = cloud.call("GetPipeline", name="pipeline-dev")["pipeline"]["stages"][0]["actions"][0]
    assert (first["configuration"]["PollForSourceChanges"], first["runOrder"]) == ("false", 1)
    cloud.ended(cloud.newest())


def test_cloudformation_disables_a_transition_before_the_first_execution(cloud: FakeCloud) -> None:
    resource_type = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    disabled = {"DisableInboundStageTransitions": [{"StageName": "Source", "Reason": "not yet"}]}
    resource_type.create(template(**disabled), "Pipeline", "stack-dev")
    with pytest.raises(AssertionError, match="in time"):
        until(lambda: bool(cloud.s3.objects), seconds=0.2)
    assert resource_type.update is not None
    resource_type.update("pipeline-dev", template(**disabled), template())
    assert cloud.ended(cloud.newest()) == "Succeeded"


@pytest.mark.parametrize(
    "changes",
    [
        {"Colour": "blue"},
        {"DisableInboundStageTransitions": [{"StageName": "Build", "Reason": "x", "Colour": "blue"}]},
        {"DisableInboundStageTransitions": [{"StageName": "Nowhere", "Reason": "x"}]},
        {"ArtifactStores": []},
    ],
)
def test_an_unsupported_property_is_refused_and_leaves_no_pipeline(
    cloud: FakeCloud, changes: dict[str, Any]
) -> None:
    resource_type = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    with pytest.raises(AwsError):
        resource_type.create(template(**changes), "Pipeline", "stack-dev")
    assert cloud.call("ListPipelines")["pipelines"] == []


def test_cloudformation_generates_a_name_when_none_is_given(cloud: FakeCloud) -> None:
    properties = template()
    del properties["Name"]
    resource_type = cloud.pipelines.resource_types()["AWS::CodePipeline::Pipeline"]
    name, _ = resource_type.create(properties, "Pipeline", "stack-dev")
    assert name.startswith("stack-dev-Pipeline-")
