"""The optional access stack: who may deploy here from elsewhere, and who approves promotions."""

from __future__ import annotations

from aws_cdk import NestedStack, RemovalPolicy, Tags
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.approval import approval_role, approved_image, approver_role
from infrastructure.constructs.deployment import deployment_statements
from infrastructure.constructs.promotion import role_arns
from infrastructure.constructs.roles import allow, arn, create_role, trusted_roles
from infrastructure.constructs.task_resources import pass_roles_statement
from infrastructure.naming import BRANCH, REGION, Names

GITHUB = "token.actions.githubusercontent.com"
STS = "sts.amazonaws.com"
# The roles of `cdk bootstrap` that `cdk deploy` assumes; the app has no container assets.
BOOTSTRAP_ROLES = ("deploy", "file-publishing", "lookup")
BOOTSTRAP_QUALIFIER = "hnb659fds"


class AccessStack(NestedStack):
    """The roles for deployments from outside the account. It refers to no other stack, only to names."""

    def __init__(self, scope: Construct, id_: str, *, config: Config) -> None:
        super().__init__(scope, id_, removal_policy=RemovalPolicy.DESTROY)
        self._config = config
        self._names = config.names
        if config.promoted_from:
            self._cross_account_role()
        if config.promoted_from and config.approvers:
            approver_role(self, config=config)
            approved_image(self, names=config.names)
        for promotion in config.promote_to:
            approval_role(self, promotion, names=config.names)
        if config.create_github_oidc_provider:
            self._provider()
        if config.github_repository:
            self._github_role(config.github_repository)

    @staticmethod
    def has_resources(config: Config) -> bool:
        """Return whether the stack has any resources; AWS refuses one without (pitfall K2)."""
        return bool(
            config.promoted_from
            or config.promote_to
            or config.github_repository
            or config.create_github_oidc_provider
        )

    def _cross_account_role(self) -> None:
        sources, names = self._config.promoted_from, self._names
        create_role(
            self,
            "CrossAccountRole",
            name=names.cross_account_role,
            assumed_by=trusted_roles(role_arns(self, sources, "pipeline-role")),
            description="What the pipelines of promotedFrom do here: release the images that they built",
            statements=[
                *deployment_statements(self, config=self._config, names=names),
                pass_roles_statement(
                    self._role_arn(names.qualified("task-role")),
                    self._role_arn(names.qualified("execution-role")),
                ),
                *self._fetch_statements(),
            ],
        )

    def _fetch_statements(self) -> list[iam.PolicyStatement]:
        sources = self._config.promoted_from
        accounts = sorted({source.account for source in sources})
        buckets = [
            f"arn:{self.partition}:s3:::{Names(source.environment).artifact_bucket(source.account)}"
            for source in sources
        ]
        # A bucket name does not prove which account owns the bucket.
        of_their_accounts = {"StringEquals": {"aws:ResourceAccount": accounts}}
        return [
            allow(
                "FetchArtifactsToRelease",
                ["s3:GetObject", "s3:GetObjectVersion"],
                [f"{bucket}/*" for bucket in buckets],
                of_their_accounts,
            ),
            allow("FindArtifactsToRelease", ["s3:GetBucketLocation"], buckets, of_their_accounts),
            # The key ids are not known here; the policy of each key admits this role (pitfall M1).
            allow(
                "DecryptArtifactsToRelease",
                ["kms:Decrypt"],
                [arn(self, "kms", "key/*", account=account) for account in accounts],
                {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}},
            ),
        ]

    def _provider(self) -> None:
        """Create GitHub's OIDC provider, of which an account can have one (pitfall M3)."""
        provider = iam.OidcProviderNative(
            self,
            "GithubProvider",
            url=f"https://{GITHUB}",
            client_ids=[STS],
            removal_policy=RemovalPolicy.DESTROY,
        )
        Tags.of(provider).add("Name", self._names.qualified("github-oidc-provider"))

    def _github_role(self, repository: str) -> None:
        subjects = github_subjects(self._config, repository)
        # Only an unknown id needs a wildcard.
        conditions: dict[str, dict[str, object]] = {"StringEquals": {f"{GITHUB}:aud": STS}}
        operator = "StringLike" if any("*" in subject for subject in subjects) else "StringEquals"
        conditions.setdefault(operator, {})[f"{GITHUB}:sub"] = subjects
        provider = arn(self, "iam", f"oidc-provider/{GITHUB}", region=False)
        role = create_role(
            self,
            "GithubRole",
            name=self._names.qualified("github-role"),
            assumed_by=iam.WebIdentityPrincipal(provider, conditions),
            description="What a GitHub Actions job does here: cdk deploy, in the roles of cdk bootstrap",
            statements=[
                *self._check_statements(),
                allow(
                    "AssumeCdkBootstrapRoles",
                    ["sts:AssumeRole"],
                    [
                        self._role_arn(f"cdk-{BOOTSTRAP_QUALIFIER}-{name}-role-{self.account}-{REGION}")
                        for name in BOOTSTRAP_ROLES
                    ],
                ),
            ],
        )
        # The role is unusable without the provider, and destroy deletes the role first.
        provider_made_here = self.node.try_find_child("GithubProvider")
        if provider_made_here is not None:
            role.node.add_dependency(provider_made_here)

    def _check_statements(self) -> list[iam.PolicyStatement]:
        """Allow `operations immutable` before a deployment, and `operations drift` after it."""
        names = self._names
        group = f"deploymentgroup:{names.application}/{names.deployment_group}"
        # AWS names a nested stack after its parent and its logical id, which the CDK ends in this word.
        stacks = (names.stack, f"{names.stack}-*NestedStack*")
        return [
            allow(
                "CompareTheTemplates",
                [
                    "cloudformation:DescribeStacks",
                    "cloudformation:GetTemplate",
                    "cloudformation:ListStackResources",
                ],
                [arn(self, "cloudformation", f"stack/{stack}/*") for stack in stacks],
            ),
            allow(
                "FindWhatCodeDeployReleased",
                ["codedeploy:GetDeploymentGroup", "codedeploy:ListDeployments"],
                [arn(self, "codedeploy", group)],
            ),
            allow(
                "FindThePrimaryTaskSet",
                ["ecs:DescribeServices"],
                [arn(self, "ecs", f"service/{names.cluster}/{names.service}")],
            ),
            # They support no resource: see tools/iam_docs/justifications.py.
            allow(
                "CompareTheListeners",
                [
                    "elasticloadbalancing:DescribeListeners",
                    "elasticloadbalancing:DescribeTargetGroups",
                    "elasticloadbalancing:DescribeTargetHealth",
                ],
                ["*"],
            ),
        ]

    def _role_arn(self, name: str, account: str | None = None) -> str:
        return arn(self, "iam", f"role/{name}", region=False, account=account)


def github_subjects(config: Config, repository: str) -> list[str]:
    """List the `sub` claims of the jobs that may deploy.

    A claim contains the ids of the owner and the repository if the repository was created or renamed since
    15 July 2026, or opted in (pitfall M4). With ids, only that form is accepted: a name can change hands.
    """
    owner, _, name = repository.partition("/")
    known = (config.github_owner_id, config.github_repository_id)
    ids = f"{owner}@{known[0] or '*'}/{name}@{known[1] or '*'}"
    forms = (ids,) if any(known) else (repository, ids)
    branches = config.github_branches or (() if config.github_environments else (BRANCH,))
    jobs = [f"ref:refs/heads/{branch}" for branch in branches]
    # The claim of a job with an environment has the environment in place of the branch.
    jobs += [f"environment:{environment}" for environment in config.github_environments]
    return [f"repo:{written}:{job}" for written in forms for job in jobs]
