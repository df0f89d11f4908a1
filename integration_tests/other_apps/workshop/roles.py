"""The roles of the app, which may do what they do on everything."""

from aws_cdk import aws_iam as iam
from constructs import Construct


def role(scope: Construct, id_: str, service: str, *allowed: str) -> iam.Role:
    """Create a role that may do this on everything."""
    made = iam.Role(scope, id_, assumed_by=iam.ServicePrincipal(f"{service}.amazonaws.com"))
    if allowed:
        made.add_to_policy(iam.PolicyStatement(actions=[*allowed], resources=["*"]))
    return made
