"""How many resources AWS lets an account create, at its default quotas, and the code for one more."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quota:
    """The most of what an operation creates, and the error for more."""

    most: int
    code: str
    what: str

    def message(self, most: int) -> str:
        """Return the words for a quota that is reached."""
        return f"The limit for {self.what} has been reached: {most}"


_TARGETS = Quota(1000, "TooManyTargets", "targets of a load balancer")
# 75 GB of all functions and their versions, in bytes.
_CODE = Quota(75 * 1024**3, "CodeStorageExceededException", "code, in bytes,")

# By service and operation. Each comment names the page of the numbers below it.
QUOTAS: dict[tuple[str, str], Quota] = {
    # https://docs.aws.amazon.com/codecommit/latest/userguide/limits.html
    ("codecommit", "CreateApprovalRuleTemplate"): Quota(
        1000, "NumberOfRuleTemplatesExceededException", "approval rule templates"
    ),
    # https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreatePullRequest.html#API_CreatePullRequest_Errors
    ("codecommit", "CreatePullRequest"): Quota(
        1000, "MaximumOpenPullRequestsExceededException", "open pull requests of a repository"
    ),
    ("codecommit", "UpdatePullRequestApprovalState"): Quota(
        200, "MaximumNumberOfApprovalsExceededException", "approvals on a pull request"
    ),
    # The user guide of 2019 said 1,000; since then it refers to this page, for quotas that can change.
    # https://docs.aws.amazon.com/general/latest/gr/codecommit.html
    ("codecommit", "CreateRepository"): Quota(5000, "RepositoryLimitExceededException", "repositories"),
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html
    ("codepipeline", "CreatePipeline"): Quota(1000, "LimitExceededException", "pipelines"),
    # Of a pipeline in QUEUED mode; in SUPERSEDED mode one waits at most, and takes the place of another.
    ("codepipeline", "StartPipelineExecution"): Quota(
        50, "ConcurrentPipelineExecutionsLimitExceededException", "concurrent executions of a pipeline"
    ),
    # https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
    ("codebuild", "CreateProject"): Quota(5000, "AccountLimitExceededException", "build projects"),
    # "Maximum number of report groups per AWS account", in the copy of 2020: no newer one was found.
    ("codebuild", "CreateReportGroup"): Quota(1000, "AccountLimitExceededException", "report groups"),
    # https://docs.aws.amazon.com/codedeploy/latest/userguide/limits.html
    ("codedeploy", "CreateApplication"): Quota(1000, "ApplicationLimitExceededException", "applications"),
    ("codedeploy", "CreateDeploymentConfig"): Quota(
        50, "DeploymentConfigLimitExceededException", "custom deployment configurations"
    ),
    ("codedeploy", "CreateDeploymentGroup"): Quota(
        1000, "DeploymentGroupLimitExceededException", "deployment groups of an application"
    ),
    # "Registered repositories", quota L-CFEB8E8D. Pages until 2023 say 10,000.
    # https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
    ("ecr", "CreateRepository"): Quota(100_000, "LimitExceededException", "repositories"),
    ("ecr", "PutImage"): Quota(100_000, "LimitExceededException", "images of a repository"),
    ("ecr", "UploadLayerPart"): Quota(4200, "LimitExceededException", "parts of a layer"),
    # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
    ("ecs", "RegisterTaskDefinition"): Quota(
        1_000_000, "LimitExceededException", "revisions of a task definition family"
    ),
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    ("elbv2", "CreateLoadBalancer"): Quota(50, "TooManyLoadBalancers", "load balancers of a region"),
    ("elbv2", "CreateListener"): Quota(50, "TooManyListeners", "listeners of a load balancer"),
    ("elbv2", "CreateTargetGroup"): Quota(3000, "TooManyTargetGroups", "target groups of a region"),
    ("elbv2", "CreateRule"): _TARGETS,
    ("elbv2", "ModifyListener"): _TARGETS,
    ("elbv2", "ModifyRule"): _TARGETS,
    ("elbv2", "RegisterTargets"): Quota(1000, "TooManyTargets", "targets of a target group"),
    # "Scalable targets per resource type": of ECS; 500 of most others.
    # https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-limits.html
    ("application-autoscaling", "RegisterScalableTarget"): Quota(
        3000, "LimitExceededException", "scalable targets of ECS"
    ),
    ("application-autoscaling", "PutScalingPolicy"): Quota(
        50, "LimitExceededException", "scaling policies of a scalable target"
    ),
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    ("iam", "CreateRole"): Quota(1000, "LimitExceeded", "roles"),
    ("iam", "CreateUser"): Quota(5000, "LimitExceeded", "users"),
    ("iam", "CreateOpenIDConnectProvider"): Quota(100, "LimitExceeded", "OpenID Connect providers"),
    # Of standard topics: FIFO topics have quotas of 1,000 and 100.
    # https://docs.aws.amazon.com/general/latest/gr/sns.html
    ("sns", "CreateTopic"): Quota(100_000, "TopicLimitExceeded", "topics"),
    ("sns", "Subscribe"): Quota(12_500_000, "SubscriptionLimitExceeded", "subscriptions of a topic"),
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    ("lambda", "CreateFunction"): _CODE,
    ("lambda", "PublishVersion"): _CODE,
    ("lambda", "UpdateFunctionCode"): _CODE,
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html
    ("sqs", "ReceiveMessage"): Quota(120_000, "OverLimit", "messages in flight"),
    # "You can create a maximum of 10,000 standard parameters for each Region in an AWS account":
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html (Tier)
    ("ssm", "PutParameter"): Quota(10_000, "ParameterLimitExceeded", "standard parameters"),
    # "You can create up to 1,000,000 log groups per Region per account":
    # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    ("logs", "CreateLogGroup"): Quota(1_000_000, "LimitExceededException", "log groups"),
    # "Alarms: 5000 per Region per account", in copies until 2022; newer ones show their first rows only.
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
    ("cloudwatch", "PutMetricAlarm"): Quota(5000, "LimitExceeded", "alarms"),
}


# Those that differ from AWS's defaults, as after POST /_local_aws/quotas.
_CHANGED: dict[tuple[str, str], int] = {}


def quota_error(service: str, operation: str, number: int) -> tuple[str, str] | None:
    """Return the code and message for one more than `number` of what an operation creates, or None."""
    quota = QUOTAS.get((service, operation))
    if quota is None:
        return None
    most = _CHANGED.get((service, operation), quota.most)
    return (quota.code, quota.message(most)) if number >= most else None


def change_quota(service: str, operation: str, most: str) -> int:
    """Change a quota, or restore AWS's default if `most` is empty; return it. Raises `ValueError`."""
    key = (service, operation)
    if key not in QUOTAS:
        known = ", ".join(f"{one}:{other}" for one, other in QUOTAS)
        raise ValueError(f"{service}:{operation} has no quota here: it must be one of {known}")
    if most and not most.isdecimal():
        raise ValueError(f"most is {most!r}: it must be a number, or empty for AWS's default")
    _CHANGED.pop(key, None)
    if most:
        _CHANGED[key] = int(most)
    return _CHANGED.get(key, QUOTAS[key].most)
