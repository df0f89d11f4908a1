"""Who approves a promotion: people whom the target names, with a role of their own.

CodePipeline has no resource policy, so the role that approves belongs to the account of the pipeline. Only
the role of the target's approvers may assume it, in the account of the target.
"""

from __future__ import annotations

from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.config.account_options import Promotion
from infrastructure.config.settings import Config
from infrastructure.constructs.roles import allow, arn, create_role, trusted_roles
from infrastructure.naming import Names


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
        statements=[allow("AssumeTheRolesThatApprove", ["sts:AssumeRole"], approvals)],
    )


def approval_role(scope: Construct, promotion: Promotion, *, names: Names) -> iam.Role:
    """Create the role that approves one promotion, and does nothing else, for the target's approvers."""
    target = promotion.environment
    approver = arn(
        scope, "iam", f"role/{Names(target).approver_role}", region=False, account=promotion.account
    )
    # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodepipeline.html
    action = f"{names.pipeline}/Promote-{target}/Approve-{target}"
    reads = ["GetPipelineExecution", "GetPipelineState", "ListPipelineExecutions"]
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
        ],
    )
