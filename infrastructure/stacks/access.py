"""Who else may release here, only when asked for: pipelines of other accounts, and jobs of GitHub Actions."""

from __future__ import annotations

from aws_cdk import NestedStack, RemovalPolicy
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.deployment import deployment_statements, may_pass_task_roles
from infrastructure.constructs.roles import allow, arn, create_role
from infrastructure.naming import BRANCH, REGION, Names

GITHUB = "token.actions.githubusercontent.com"
STS = "sts.amazonaws.com"
# The roles of `cdk bootstrap` that `cdk deploy` takes on; the app has no container assets.
BOOTSTRAP_ROLES = ("deploy", "file-publishing", "lookup")
BOOTSTRAP_QUALIFIER = "hnb659fds"


class AccessStack(NestedStack):
    """The doors into this environment from outside its account; it names its resources and refers to none."""

    def __init__(self, scope: Construct, id_: str, *, config: Config, names: Names) -> None:
        super().__init__(scope, id_, removal_policy=RemovalPolicy.DESTROY)
        self._config = config
        self._names = names
        if config.trusted_accounts:
            self._cross_account_role()
        if config.create_github_oidc_provider:
            self._provider()
        if config.github_repository:
            self._github_role(config.github_repository)

    @staticmethod
    def wanted(config: Config) -> bool:
        """Say whether there is anything to make: a stack without resources is refused (pitfall K2)."""
        return bool(config.trusted_accounts or config.github_repository or config.create_github_oidc_provider)

    def _cross_account_role(self) -> None:
        accounts, names = self._config.trusted_accounts, self._names
        # By account and condition: a principal that does not exist yet would be refused (pitfall M2).
        pipelines = [
            iam.AccountPrincipal(account).with_conditions(
                {"ArnLike": {"aws:PrincipalArn": self._role_arn("pipeline-role-*", account)}}
            )
            for account in accounts
        ]
        create_role(
            self,
            "CrossAccountRole",
            name=names.cross_account_role,
            assumed_by=iam.CompositePrincipal(*pipelines),
            description="What a trusted account's pipeline does here: release the image that it built",
            statements=[
                *deployment_statements(self, config=self._config, names=names),
                may_pass_task_roles(
                    self._role_arn(names.qualified("task-role")),
                    self._role_arn(names.qualified("execution-role")),
                ),
                *self._may_read_artifacts(),
            ],
        )

    def _may_read_artifacts(self) -> list[iam.PolicyStatement]:
        accounts = self._config.trusted_accounts
        buckets = [f"arn:{self.partition}:s3:::{Names('*').artifact_bucket(account)}" for account in accounts]
        # The name of a bucket does not prove whose it is.
        theirs = {"StringEquals": {"aws:ResourceAccount": list(accounts)}}
        return [
            allow(
                "FetchArtifactsOfTrustedAccounts",
                ["s3:GetObject", "s3:GetObjectVersion"],
                [f"{bucket}/*" for bucket in buckets],
                theirs,
            ),
            allow("FindArtifactsOfTrustedAccounts", ["s3:GetBucketLocation"], buckets, theirs),
            # A key has no name that could be known here; its own policy says who may use it (pitfall M1).
            allow(
                "DecryptArtifactsOfTrustedAccounts",
                ["kms:Decrypt"],
                [arn(self, "kms", "key/*", account=account) for account in accounts],
                {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}},
            ),
        ]

    def _provider(self) -> None:
        """Make the account's provider; it has one at most, so another environment's must not (pitfall M3)."""
        iam.OidcProviderNative(
            self,
            "GithubProvider",
            url=f"https://{GITHUB}",
            client_ids=[STS],
            removal_policy=RemovalPolicy.DESTROY,
        )

    def _github_role(self, repository: str) -> None:
        subjects = github_subjects(self._config, repository)
        # Only an unknown id needs a pattern.
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
                allow(
                    "TakeOnTheRolesOfCdkBootstrap",
                    ["sts:AssumeRole"],
                    [
                        self._role_arn(f"cdk-{BOOTSTRAP_QUALIFIER}-{name}-role-{self.account}-{REGION}")
                        for name in BOOTSTRAP_ROLES
                    ],
                )
            ],
        )
        # So that who can take on the role finds the provider, and destroy takes the role away first.
        provider_made_here = self.node.try_find_child("GithubProvider")
        if provider_made_here is not None:
            role.node.add_dependency(provider_made_here)

    def _role_arn(self, name: str, account: str | None = None) -> str:
        return arn(self, "iam", f"role/{name}", region=False, account=account)


def github_subjects(config: Config, repository: str) -> list[str]:
    """List the `sub` claims of the jobs that may deploy.

    GitHub writes a repository that was made or renamed since 15 July 2026, or that opted in, with its ids,
    and the others without (pitfall M4); both are accepted.
    """
    owner, _, name = repository.partition("/")
    ids = f"{owner}@{config.github_owner_id or '*'}/{name}@{config.github_repository_id or '*'}"
    branches = config.github_branches or (() if config.github_environments else (BRANCH,))
    jobs = [f"ref:refs/heads/{branch}" for branch in branches]
    # A job with an environment names that, and not its branch.
    jobs += [f"environment:{environment}" for environment in config.github_environments]
    return [f"repo:{written}:{job}" for written in (repository, ids) for job in jobs]
