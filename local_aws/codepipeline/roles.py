"""As whom a pipeline acts: the pipeline's role, and an action's role assumed through it."""

from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from local_aws.codepipeline.structure import Pipeline
from local_aws.context import Context, ServiceRole

Clients = Callable[[str], Any]


def acting_as(context: Context, pipeline: Pipeline, action_role: str | None) -> Clients:
    """Return a maker of clients of a service, acting as the action's role, else as the pipeline's.

    The action's role is assumed with the pipeline role's credentials, as its trust policy expects.
    """
    pipeline_role = ServiceRole(pipeline.role_arn, "codepipeline", context.arn("codepipeline", pipeline.name))
    if action_role is None or action_role == pipeline_role:
        return lambda service: context.client(service, pipeline_role)
    sts = context.client("sts", pipeline_role)
    secret = sts.assume_role(RoleArn=action_role, RoleSessionName="codepipeline")["Credentials"]
    session = boto3.session.Session(
        aws_access_key_id=secret["AccessKeyId"],
        aws_secret_access_key=secret["SecretAccessKey"],
        aws_session_token=secret["SessionToken"],
        region_name=context.region,
    )
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2})
    return lambda service: session.client(service, endpoint_url=context.endpoint, config=config)
