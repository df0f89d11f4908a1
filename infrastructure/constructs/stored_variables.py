"""The variables of a service whose values are SSM parameters: `secrets` and `parameters` of the catalogue.

People create the parameters, because CloudFormation cannot create a SecureString (pitfall F5), and a value in
a template would be no secret.
"""

from __future__ import annotations

import json

from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.config.catalogue import Service
from infrastructure.config.settings import Config
from infrastructure.constructs.roles import allow, arn
from infrastructure.naming import Names


def stored_variables(service: Service, names: Names) -> dict[str, str]:
    """Return the variables from which the build fills `secrets` of the container: one for each kind.

    `operations secrets` reads them too.
    """
    kinds = {"TASK_SECRETS": service.secrets, "TASK_PARAMETERS": service.parameters}
    return {
        kind: json.dumps([{"name": one, "valueFrom": names.stored_variable(one)} for one in declared])
        for kind, declared in kinds.items()
        if declared
    }


def stored_variable_statements(
    scope: Construct, config: Config, *, sid: str, action: str
) -> list[iam.PolicyStatement]:
    """Allow an action on exactly these parameters; none without any.

    A SecureString under the AWS managed key `alias/aws/ssm` needs no permission on the key:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-ssm-paramstore.html
    """
    names = [config.names.stored_variable(one) for one in config.service.stored_variables]
    arns = [arn(scope, "ssm", f"parameter{name}") for name in names]
    return [allow(sid, [action], arns)] if arns else []
