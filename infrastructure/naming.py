"""The names of all resources: `{resource-type}-{environmentSuffix}`, within the limits of AWS."""

from __future__ import annotations

from dataclasses import dataclass

REGION = "us-east-1"
CONSOLE = f"https://{REGION}.console.aws.amazon.com"
CODE_CONSOLE = f"{CONSOLE}/codesuite"
BRANCH = "main"

# The contract with taskdef.json and appspec.yaml, which name the same container (pitfall B2).
CONTAINER_NAME = "app"
CONTAINER_PORT = 8080
HEALTH_PATH = "/health"

PRODUCTION_PORT = 80
# The production listener's port with a certificate; port 80 then redirects to it.
HTTPS_PORT = 443
TEST_PORT = 8080

# The service whose names end in the environment's suffix alone.
SAMPLE_SERVICE = "sample-service"
# Of load balancers and target groups (pitfall L).
LONGEST_NAME = 32

# No time and no commit: a changed tag would update the ECS service, which AWS may refuse (pitfall C2).
FIXED_TAGS = {
    "project": "python-service-pipeline",
    "service": SAMPLE_SERVICE,
    "managed-by": "cdk",
    "cost-centre": "python-service-pipeline",
}


@dataclass(frozen=True)
class Names:
    """The names of all resources of one service in one environment.

    The longest name with a limit of 32 characters, `target-group-green-{suffix}`, limits a suffix to 12
    characters (pitfall L). A suffix with the name of a service may be longer: then the type is shorter.
    """

    suffix: str
    service_name: str = SAMPLE_SERVICE

    def qualified(self, resource_type: str) -> str:
        """Return `{resource_type}-{suffix}`."""
        return f"{resource_type}-{self.suffix}"

    def _target_group(self, colour: str) -> str:
        fits = len(self.qualified("target-group-green")) <= LONGEST_NAME
        return self.qualified(f"{'target-group' if fits else 'tg'}-{colour}")

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every taggable resource."""
        return {**FIXED_TAGS, "service": self.service_name, "environment": self.suffix}

    @property
    def stack(self) -> str:
        return self.qualified("stack")

    @property
    def load_balancer(self) -> str:
        name = self.qualified("load-balancer")
        return name if len(name) <= LONGEST_NAME else self.qualified("lb")

    @property
    def blue_target_group(self) -> str:
        return self._target_group("blue")

    @property
    def green_target_group(self) -> str:
        return self._target_group("green")

    @property
    def image_repository(self) -> str:
        return self.qualified("images")

    @property
    def cluster(self) -> str:
        return self.qualified("cluster")

    @property
    def service(self) -> str:
        return self.qualified("service")

    @property
    def task_family(self) -> str:
        return self.qualified("task")

    @property
    def task_log_group(self) -> str:
        return f"/ecs/{self.task_family}"

    @property
    def repository(self) -> str:
        return self.qualified("repository")

    @property
    def test_project(self) -> str:
        """The CodeBuild project that scans and tests a commit."""
        return self.qualified("test")

    @property
    def test_log_group(self) -> str:
        return f"/codebuild/{self.test_project}"

    @property
    def build_project(self) -> str:
        """The CodeBuild project that builds and pushes an image."""
        return self.qualified("build")

    @property
    def build_log_group(self) -> str:
        return f"/codebuild/{self.build_project}"

    @property
    def promotion_project(self) -> str:
        """The CodeBuild project that copies an image to the environment it is promoted to."""
        return self.qualified("promotion")

    @property
    def report_group(self) -> str:
        return self.qualified("unit-tests")

    @property
    def application(self) -> str:
        return self.qualified("application")

    @property
    def deployment_group(self) -> str:
        return self.qualified("deployment-group")

    @property
    def traffic_hook(self) -> str:
        """The Lambda function that appspec.yaml names."""
        return self.qualified("test-traffic-hook")

    @property
    def break_glass(self) -> str:
        """The SSM parameter that `operations break-glass` creates: it opens some checks of the traffic hook.

        AWS requires the first slash of a name with levels, so no other spelling gets past the rules:
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
        """
        return f"/{self.qualified('break-glass')}/test-traffic-hook"

    @property
    def signing_key(self) -> str:
        """The alias, after `alias/`, of the KMS key that signs images."""
        return self.qualified("signing-key")

    @property
    def image_keeper(self) -> str:
        """The Lambda function that keeps the images in use from expiring."""
        return self.qualified("image-keeper")

    @property
    def scaling_suspender(self) -> str:
        """The Lambda function that suspends the scaling of the service while a deployment runs."""
        return self.qualified("scaling-suspender")

    @property
    def deployment_guard(self) -> str:
        """The Lambda function that stops a deployment which leaves the traffic hook out."""
        return self.qualified("deployment-guard")

    @property
    def drift_check(self) -> str:
        """The Lambda function that looks once a day for what has changed without a release."""
        return self.qualified("drift-check")

    @property
    def drift_check_told(self) -> str:
        """The SSM parameter with what the drift check has told."""
        return f"/{self.drift_check}/told"

    @property
    def settings_guard(self) -> str:
        """The Lambda function that fails a deployment which would drop a setting."""
        return self.qualified("settings-guard")

    @property
    def pipeline(self) -> str:
        return self.qualified("pipeline")

    @property
    def event_log_group(self) -> str:
        """The log group of the event log; the console offers only groups with this prefix to a rule."""
        return f"/aws/events/{self.pipeline}"

    @property
    def dashboard(self) -> str:
        return self.qualified("dashboard")

    @property
    def topic(self) -> str:
        return self.qualified("notifications")

    @property
    def cross_account_role(self) -> str:
        return self.qualified("cross-account-role")

    @property
    def approver_role(self) -> str:
        return self.qualified("approver-role")

    def approval_role(self, target: str) -> str:
        """Return the name of the role that approves promotions to the environment `target`."""
        return self.qualified(f"approval-role-{target}")

    @property
    def approved_image(self) -> str:
        """The SSM parameter with the digest of the image that an approver has approved for release here."""
        return f"/{self.qualified('approvals')}/image"

    @property
    def docker_hub_username(self) -> str:
        """The SSM parameter that the stack creates."""
        return f"/{self.qualified('docker-hub')}/username"

    @property
    def docker_hub_password(self) -> str:
        """The SSM SecureString that a person creates: CloudFormation cannot (pitfall F5)."""
        return f"/{self.qualified('docker-hub')}/password"

    def stored_variable(self, variable: str) -> str:
        """Return the SSM parameter with the value of a variable, which a person creates."""
        return f"/{self.suffix}/{variable}"

    def network(self, part: str) -> str:
        """Return the SSM parameter with a part of the network, for the services that share it."""
        return f"/{self.qualified('network')}/{part}"

    @property
    def insights_log_group(self) -> str:
        """The log group that Container Insights writes to, whose name AWS defines (pitfall H3)."""
        return f"/aws/ecs/containerinsights/{self.cluster}/performance"

    def access_log_bucket(self, account: str) -> str:
        """Return the bucket name of the load balancer's access logs; `account` may be a token."""
        return f"{self.qualified('access-logs')}-{account}-{REGION}"

    def artifact_bucket(self, account: str) -> str:
        """Return the bucket name, unique in all of AWS (pitfall L); `account` may be a token."""
        return f"{self.qualified('artifacts')}-{account}-{REGION}"
