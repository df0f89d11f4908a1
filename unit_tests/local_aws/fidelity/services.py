"""The suites of all services."""

from unit_tests.local_aws.fidelity import (
    application_autoscaling,
    codebuild,
    codecommit,
    codedeploy,
    codepipeline,
    ecr,
    ecs,
    elbv2,
    service_quotas,
)

SUITES = (
    codecommit.SUITE,
    codepipeline.SUITE,
    codebuild.SUITE,
    codedeploy.SUITE,
    ecs.SUITE,
    ecr.SUITE,
    ecr.PUBLIC,
    elbv2.SUITE,
    application_autoscaling.SUITE,
    service_quotas.SUITE,
)
