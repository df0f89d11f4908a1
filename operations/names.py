"""The names of an environment's resources, which end in its suffix; a unit test compares with the app's."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Names:
    """The names that a suffix determines."""

    suffix: str

    @property
    def stack(self) -> str:
        return f"stack-{self.suffix}"

    @property
    def pipeline(self) -> str:
        return f"pipeline-{self.suffix}"

    @property
    def test_project(self) -> str:
        return f"test-{self.suffix}"

    @property
    def build_project(self) -> str:
        return f"build-{self.suffix}"

    @property
    def promotion_project(self) -> str:
        return f"promotion-{self.suffix}"

    @property
    def application(self) -> str:
        return f"application-{self.suffix}"

    @property
    def deployment_group(self) -> str:
        return f"deployment-group-{self.suffix}"

    @property
    def traffic_hook(self) -> str:
        return f"test-traffic-hook-{self.suffix}"

    @property
    def deployment_guard(self) -> str:
        return f"deployment-guard-{self.suffix}"

    @property
    def repository(self) -> str:
        return f"repository-{self.suffix}"

    def approval_role(self, target: str) -> str:
        """Return the role that approves promotions to the environment `target`."""
        return f"approval-role-{target}-{self.suffix}"

    @property
    def topic(self) -> str:
        return f"notifications-{self.suffix}"

    @property
    def cluster(self) -> str:
        return f"cluster-{self.suffix}"

    @property
    def service(self) -> str:
        return f"service-{self.suffix}"

    @property
    def task_family(self) -> str:
        return f"task-{self.suffix}"

    @property
    def event_log_group(self) -> str:
        return f"/aws/events/pipeline-{self.suffix}"

    @property
    def insights_log_group(self) -> str:
        return f"/aws/ecs/containerinsights/{self.cluster}/performance"

    @property
    def task_log_group(self) -> str:
        return f"/ecs/{self.task_family}"

    @property
    def docker_hub_username(self) -> str:
        return f"/docker-hub-{self.suffix}/username"

    @property
    def docker_hub_password(self) -> str:
        return f"/docker-hub-{self.suffix}/password"

    def stored_variable(self, variable: str) -> str:
        return f"/{self.suffix}/{variable}"

    @property
    def break_glass(self) -> str:
        return f"/break-glass-{self.suffix}/test-traffic-hook"

    @property
    def approver_role(self) -> str:
        return f"approver-role-{self.suffix}"

    @property
    def approved_image(self) -> str:
        return f"/approvals-{self.suffix}/image"

    def artifact_bucket(self, account: str, region: str) -> str:
        """Return the bucket name, which contains the account and the region."""
        return f"artifacts-{self.suffix}-{account}-{region}"


def approval_rule(suffix: str) -> str:
    """Return the approval rule template of `operations protect`, which the app does not have."""
    return f"approvals-{suffix}"


def developer_policy(suffix: str) -> str:
    """Return the policy of `operations protect`, which the app does not have."""
    return f"developer-policy-{suffix}"
