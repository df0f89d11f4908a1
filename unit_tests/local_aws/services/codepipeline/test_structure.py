"""A pipeline's declaration is checked as AWS checks it."""

from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.services.codepipeline.structure import parse
from unit_tests.local_aws.services.codepipeline.declarations import (
    action,
    build,
    declaration,
    deploy,
    source,
    stage,
)


def refused(**changes: Any) -> AwsError:
    with pytest.raises(AwsError) as caught:
        parse(declaration(**changes), 1, "us-east-1")
    return caught.value


def stages(*middle: dict[str, Any]) -> list[dict[str, Any]]:
    return [stage("Source", source()), stage("Build", *middle)]


def on_failure(conditions: dict[str, Any]) -> list[dict[str, Any]]:
    return [stage("Source", source()), {**stage("Build", build()), "onFailure": conditions}]


def test_the_shipped_pipeline_is_valid_and_gets_the_defaults() -> None:
    pipeline = parse(declaration(), 3, "us-east-1")
    assert [item.name for item in pipeline.stages] == ["Source", "Build", "Deploy"]
    first = pipeline.shape["stages"][0]["actions"][0]
    assert (first["runOrder"], first["inputArtifacts"], pipeline.shape["version"]) == (1, [], 3)


def test_a_pipeline_needs_two_stages() -> None:
    error = refused(stages=[stage("Source", source())])
    assert error.code == "InvalidStructureException"
    assert error.message.startswith("Pipeline has only 1 stage(s). There should be a minimum of 2 stages")


def test_the_first_stage_contains_source_actions_only() -> None:
    manual = action("Approval", "Manual", "Ask")
    error = refused(stages=[stage("Source", source(), manual), stage("Build", build())])
    assert error.code == "InvalidStructureException"
    assert error.message == "Pipeline should start with a stage that only contains source actions"


def test_a_source_action_after_the_first_stage_is_refused() -> None:
    assert refused(stages=stages(source())).code == "InvalidStructureException"


def test_stage_names_are_unique() -> None:
    twice = [stage("Source", source()), stage("Source", build())]
    assert refused(stages=twice).code == "InvalidStageDeclarationException"


def test_action_names_are_unique_within_a_stage() -> None:
    assert refused(stages=stages(build(), build())).code == "InvalidStageDeclarationException"


def test_an_artifact_is_produced_before_it_is_consumed() -> None:
    error = refused(stages=[stage("Source", source()), stage("Deploy", deploy()), stage("Build", build())])
    assert error.code == "InvalidActionDeclarationException"
    assert error.message == (
        "Input Artifact Bundle BuildOutput in action Deploy is not declared as Output Artifact Bundle"
        " in any of the preceding actions"
    )


def test_run_order_decides_which_action_is_earlier() -> None:
    later = {**action("Test", "CodeBuild", "Later", configuration={"ProjectName": "x"}), "runOrder": 2}
    later["inputArtifacts"] = [{"name": "BuildOutput"}]
    parse(declaration(stages=stages(build(), later)), 1, "us-east-1")
    assert "BuildOutput" in refused(stages=stages(build(), {**later, "runOrder": 1})).message


def test_an_artifact_name_is_used_once() -> None:
    duplicate = {**build(), "name": "Again", "namespace": "Again"}
    assert "must be unique within the pipeline" in refused(stages=stages(build(), duplicate)).message


def test_an_unknown_configuration_key_is_refused_by_name() -> None:
    error = refused(stages=stages(build(ProjektName="x")))
    assert error.message == (
        "Action configuration for action 'Build' contains unknown configuration 'ProjektName'"
    )


def test_a_missing_configuration_key_is_refused_by_name() -> None:
    bare = {**build(), "configuration": {"PrimarySource": "SourceOutput"}}
    assert "is missing required configuration 'ProjectName'" in refused(stages=stages(bare)).message


def test_a_configuration_value_has_at_most_1000_characters() -> None:
    parse(declaration(stages=stages(build(EnvironmentVariables="x" * 1000))), 1, "us-east-1")
    error = refused(stages=stages(build(EnvironmentVariables="x" * 1001)))
    assert error.code == "ValidationException"
    assert "less than or equal to 1000" in error.message


def test_an_unknown_provider_is_refused_with_awss_message() -> None:
    error = refused(stages=stages(action("Build", "Jenkins", "Build")))
    assert error.code == "InvalidActionDeclarationException"
    assert error.message == (
        "ActionType (Category: 'Build', Provider: 'Jenkins', Owner: 'AWS', Version: '1') in action 'Build'"
        " is not available in region 'US_EAST_1'"
    )


@pytest.mark.parametrize(
    ("category", "provider"),
    [("Source", "S3"), ("Source", "CodeStarSourceConnection"), ("Deploy", "EKS"), ("Invoke", "Lambda")],
)
def test_a_provider_that_aws_has_and_local_aws_has_not_is_refused_by_name(
    category: str, provider: str
) -> None:
    own = action(category, provider, "Own")
    first, second = (own, build()) if category == "Source" else (source(), own)
    error = refused(stages=[stage("First", first), stage("Second", second)])
    assert error.code == "UnsupportedOperation"
    assert f"{category} provider AWS/{provider} (action Own)" in error.message


def test_a_provider_has_its_number_of_artifacts() -> None:
    assert "less than the minimum count" in refused(stages=stages({**build(), "inputArtifacts": []})).message


def test_a_configured_artifact_is_an_input_of_the_action() -> None:
    wrong = [stage("Source", source()), stage("Build", build())]
    wrong.append(stage("Deploy", deploy(Image1ArtifactName="SourceOutput")))
    assert "'Image1ArtifactName'" in refused(stages=wrong).message


def test_a_reference_names_the_namespace_of_an_earlier_action() -> None:
    parse(
        declaration(stages=stages(build(EnvironmentVariables="#{SourceVariables.CommitId}"))), 1, "us-east-1"
    )
    error = refused(stages=stages(build(EnvironmentVariables="#{Nowhere.CommitId}")))
    assert "referencing a namespace that does not exist" in error.message
    assert "VariableReferenceText=[Nowhere.CommitId]" in error.message


def test_namespaces_are_unique() -> None:
    same = {**build(), "namespace": "SourceVariables"}
    assert refused(stages=stages(same)).message.startswith("Namespaces must be unique across the pipeline")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"executionMode": "PARALLEL"}, "PARALLEL"),
        ({"stages": on_failure({"result": "ROLLBACK"})}, "ROLLBACK in onFailure"),
        ({"stages": on_failure({"result": "RETRY"})}, "without a retryMode"),
        ({"stages": on_failure({"conditions": [{"result": "RETRY"}]})}, "conditions in onFailure"),
        ({"stages": stages(build(BatchEnabled="true"))}, "BatchEnabled"),
        ({"stages": stages({**build(), "region": "eu-west-1"})}, "eu-west-1"),
        (
            {
                "stages": [
                    stage("Source", source(OutputArtifactFormat="CODEBUILD_CLONE_REF")),
                    stage("Build", build()),
                ]
            },
            "CODEBUILD_CLONE_REF",
        ),
    ],
)
def test_an_unsupported_feature_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    assert named in refused(**changes).message


def test_an_automatic_retry_needs_v2() -> None:
    retry = {"result": "RETRY", "retryConfiguration": {"retryMode": "ALL_ACTIONS"}}
    assert parse(declaration(stages=on_failure(retry)), 1, "us-east-1").stages[1].retry_mode == "ALL_ACTIONS"
    assert "V2" in refused(stages=on_failure(retry), pipelineType="V1").message


def test_queued_needs_v2() -> None:
    assert refused(executionMode="QUEUED", pipelineType="V1").code == "InvalidStructureException"
