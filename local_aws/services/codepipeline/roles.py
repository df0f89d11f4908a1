"""The roles that a pipeline assumes: its own, and through it the role of an action."""

from collections.abc import Callable
from typing import Any

from local_aws.core.clients import as_variables, make_client
from local_aws.core.context import Context, ServiceRole
from local_aws.services.codepipeline.structure import PipelineDeclaration

ClientFactory = Callable[[str], Any]


def client_factory(
    context: Context, declaration: PipelineDeclaration, action_role: str | None
) -> ClientFactory:
    """Return a function that makes clients which act as the action's role, or else as the pipeline's.

    The action's role is assumed with the pipeline role's credentials, as its trust policy expects.
    """
    pipeline_role = ServiceRole(
        declaration.role_arn, "codepipeline", context.arn("codepipeline", declaration.name)
    )
    if action_role is None or action_role == pipeline_role:
        return lambda service: context.client(service, pipeline_role)
    sts = context.client("sts", pipeline_role)
    credentials = sts.assume_role(RoleArn=action_role, RoleSessionName="codepipeline")["Credentials"]
    variables = as_variables(credentials)
    return lambda service: make_client(service, context.endpoint, context.region, variables)
