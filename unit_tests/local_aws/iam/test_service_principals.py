"""A trust policy names service principals that AWS has."""

import pytest

from local_aws.iam.service_principals import is_service_principal


@pytest.mark.parametrize(
    "label",
    [
        *(
            "ecs",
            "ecs-tasks",
            "codebuild",
            "codedeploy",
            "codepipeline",
            "lambda",
            "events",
            "scheduler",
            "ec2",
        ),
        *("monitoring.rds", "logs.us-east-1", "delivery.logs", "vpc-flow-logs", "apidestinations.events"),
        *("ecs.application-autoscaling", "edgelambda", "cloudformation", "config", "signer", "backup"),
    ],
)
def test_a_service_of_aws_is_known(label: str) -> None:
    assert is_service_principal(f"{label}.amazonaws.com")


@pytest.mark.parametrize(
    "name", ["nope.amazonaws.com", "codepipeiine.amazonaws.com", "eks.amazonaws.com.cn", "ecs", "*"]
)
def test_an_invented_service_is_not_known(name: str) -> None:
    assert not is_service_principal(name)
