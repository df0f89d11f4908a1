"""The roles that a pipeline assumes: its own, and through it the role of an action."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError
from local_aws.core.clients import as_variables, make_client
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.services.codepipeline.errors import invalid_structure
from local_aws.services.codepipeline.structure import PipelineDeclaration

ClientFactory = Callable[[str], Any]


def check_roles(context: Context, declaration: PipelineDeclaration) -> None:
    """Refuse a pipeline whose roles cannot be assumed: its own, and with it those of its actions.

    The messages: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-projects-walkthrough.html,
    https://github.com/aws/aws-cdk/issues/11353
    """
    pipeline_role = _pipeline_role(context, declaration)
    if not context.may_assume(pipeline_role):
        raise _not_authorized("CodePipeline", pipeline_role)
    sts = context.client("sts", pipeline_role)
    roles = {action.role_arn for stage in declaration.stages for action in stage.actions if action.role_arn}
    for role in sorted(roles - {pipeline_role}):
        try:
            sts.assume_role(RoleArn=role, RoleSessionName="codepipeline")
        except ClientError as error:
            raise _not_authorized(pipeline_role, role) from error


def _not_authorized(who: str, role: str) -> AwsError:
    return invalid_structure(f"{who} is not authorized to perform AssumeRole on role {role}")


def client_factory(
    context: Context, declaration: PipelineDeclaration, action_role: str | None
) -> ClientFactory:
    """Return a function that makes clients which act as the action's role, or else as the pipeline's.

    The action's role is assumed with the pipeline role's credentials, as its trust policy expects.
    """
    pipeline_role = _pipeline_role(context, declaration)
    if action_role is None or action_role == pipeline_role:
        return lambda service: context.client(service, pipeline_role)
    sts = context.client("sts", pipeline_role)
    credentials = sts.assume_role(RoleArn=action_role, RoleSessionName="codepipeline")["Credentials"]
    variables = as_variables(credentials)
    return lambda service: make_client(service, context.endpoint, context.region, variables)


def _pipeline_role(context: Context, declaration: PipelineDeclaration) -> ServiceRole:
    """Return the pipeline's own role. No page of AWS says that CodePipeline sends its ARN (pitfall D10).

    https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-service-role-cli.html
    """
    arn = context.arn("codepipeline", declaration.name)
    return ServiceRole(declaration.role_arn, "codepipeline", arn, Source.ACCOUNT)
