"""As whom a pipeline acts: the pipeline's role, and an action's role assumed through it."""

from collections.abc import Callable
from typing import Any

from local_aws.core.clients import as_variables, make_client
from local_aws.core.context import Context, ServiceRole
from local_aws.services.codepipeline.structure import Pipeline

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
    keys = as_variables(secret)
    return lambda service: make_client(service, context.endpoint, context.region, keys)
