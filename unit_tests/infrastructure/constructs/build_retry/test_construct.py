"""What AWS failed is retried: Source by the pipeline itself, Build by a function that looks at the cause."""

from __future__ import annotations

from unit_tests.infrastructure.synthesized import Templates, plain, role, statements

NAME = "build-retry-dev"


def test_only_source_is_retried_whatever_has_failed(templates: Templates) -> None:
    """A red test would be repeated, too, and a failed deployment must not be."""
    stages = plain(templates.only("AWS::CodePipeline::Pipeline").properties["Stages"])
    retried = {stage["Name"]: stage.get("OnFailure") for stage in stages}
    mode = {"Result": "RETRY", "RetryConfiguration": {"RetryMode": "FAILED_ACTIONS"}}
    assert retried == {"Source": mode, "Build": None, "Deploy": None}


def test_the_function_is_invoked_when_the_stage_build_has_failed(templates: Templates) -> None:
    rule = templates.only("AWS::Events::Rule", Name="build-retry-failures-dev").properties
    detail = plain(rule["EventPattern"]["detail"])
    assert detail == {"pipeline": ["pipeline-dev"], "stage": ["Build"], "state": ["FAILED"]}
    function = templates.only("AWS::Lambda::Function", FunctionName=NAME)
    assert [plain(target["Arn"]) for target in rule["Targets"]] == [f"<{function.id}.Arn>"]


def test_it_may_retry_this_stage_of_this_pipeline_only(templates: Templates) -> None:
    pipeline = "arn:aws:codepipeline:us-east-1:<AWS::AccountId>:pipeline-dev"
    allowed = {
        action: plain(each["Resource"])
        for each in statements(role(templates, "build-retry-role-dev"))
        for action in each["Action"]
        if action.startswith("code")
    }
    projects = allowed.pop("codebuild:BatchGetBuilds")
    assert allowed == {
        "codepipeline:ListActionExecutions": [pipeline],
        "codepipeline:RetryStageExecution": [f"{pipeline}/Build"],
    }
    assert len(projects) == 2, "the tests and the build"
