"""Who approves a promotion: people whom the target names, with a role of their own.

They approve on both sides. CodePipeline has no resource policy, so a role in the account of the pipeline lets
it continue; only the role of the target's approvers may assume it. Whoever owns that pipeline can take the
approval out of it, so the approvers also write the digest of the image into a parameter of the target, and
the target's test-traffic hook admits no other image of a source (attack G18). With it they write the digest
of the pipeline's definition: nobody changes what makes the images without their approval (attack G23).
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infrastructure.config.account_options import Promotion
from infrastructure.config.settings import Config
from infrastructure.constructs.roles import allow, arn, create_role, trusted_roles
from infrastructure.naming import Names

NOTHING_APPROVED = "none"


def approver_role(scope: Construct, *, config: Config) -> iam.Role:
    """Create the role that the people of `approvers` assume to approve releases to this environment."""
    names = config.names
    approvals = [
        arn(
            scope,
            "iam",
            f"role/{Names(source.environment).approval_role(names.suffix)}",
            region=False,
            account=source.account,
        )
        for source in config.promoted_from
    ]
    return create_role(
        scope,
        "ApproverRole",
        name=names.approver_role,
        assumed_by=trusted_roles(config.approvers),
        description="Approves releases to this environment, in the pipelines that promote to it",
        statements=[
            allow("AssumeTheRolesThatApprove", ["sts:AssumeRole"], approvals),
            allow(
                "ApproveTheImage",
                ["ssm:GetParameterHistory", "ssm:PutParameter"],
                [_approved_image_arn(scope, names)],
            ),
        ],
    )


def approved_image(scope: Construct, *, names: Names) -> ssm.StringParameter:
    """Create the parameter that approvers write, so that it is deleted with the stack."""
    return ssm.StringParameter(
        scope,
        "ApprovedImage",
        parameter_name=names.approved_image,
        string_value=NOTHING_APPROVED,
        description="What an approver admits here, image and pipeline: python -m operations approve",
    )


def approval_variables(scope: Construct, config: Config) -> dict[str, str]:
    """Return what the test-traffic hook verifies approvals with; nothing if the target names no approvers."""
    if not _verifies(config):
        return {}
    role = f"assumed-role/{config.names.approver_role}"
    return {
        "APPROVED_IMAGE": config.names.approved_image,
        "APPROVER": arn(scope, "sts", role, region=False),
    }


def verify_approval_statements(scope: Construct, config: Config) -> list[iam.PolicyStatement]:
    """Allow the test-traffic hook to read who approved which image, and when."""
    parameter = _approved_image_arn(scope, config.names)
    return [allow("ReadTheApproval", ["ssm:GetParameterHistory"], [parameter])] if _verifies(config) else []


def _verifies(config: Config) -> bool:
    return bool(config.promoted_from and config.approvers)


def _approved_image_arn(scope: Construct, names: Names) -> str:
    return arn(scope, "ssm", f"parameter{names.approved_image}")


def approval_role(scope: Construct, promotion: Promotion, *, names: Names) -> iam.Role:
    """Create the role that approves one promotion, and does nothing else, for the target's approvers."""
    target = promotion.environment
    approver = arn(
        scope, "iam", f"role/{Names(target).approver_role}", region=False, account=promotion.account
    )
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html
    action = f"{names.pipeline}/Promote-{target}/Approve-{target}"
    reads = ["GetPipeline", "GetPipelineExecution", "GetPipelineState"]
    reads += ["ListActionExecutions", "ListPipelineExecutions"]
    projects = [names.test_project, names.build_project, names.promotion_project]
    return create_role(
        scope,
        f"ApprovalRole-{target}",
        name=names.approval_role(target),
        assumed_by=trusted_roles([approver]),
        description=f"Approves releases to {target}, for the approvers whom {target} names",
        statements=[
            allow(
                "ApproveTheRelease",
                ["codepipeline:PutApprovalResult"],
                [arn(scope, "codepipeline", action)],
            ),
            allow(
                "FindWhatToApprove",
                [f"codepipeline:{read}" for read in reads],
                [arn(scope, "codepipeline", names.pipeline)],
            ),
            # What makes the image is approved as well, by the same people (attack G23).
            allow(
                "ReadWhatMakesTheImage",
                ["codebuild:BatchGetProjects"],
                [arn(scope, "codebuild", f"project/{project}") for project in projects],
            ),
        ],
    )
