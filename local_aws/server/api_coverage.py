"""The page of implemented, partial and unsupported operations, which `local-aws api-coverage` prints."""

from collections.abc import Iterator

from local_aws.core.api import JsonService, service_model, snake_case
from local_aws.core.pagination import DEFAULT_PAGE_SIZE, paginators
from local_aws.services.application_autoscaling.service import ApplicationAutoScaling
from local_aws.services.codebuild.service import CodeBuild
from local_aws.services.codecommit.service import CodeCommit
from local_aws.services.codedeploy.service import CodeDeploy
from local_aws.services.codepipeline.service import CodePipeline
from local_aws.services.ecr.service import Ecr
from local_aws.services.ecr_public.service import EcrPublic
from local_aws.services.ecs.service import Ecs
from local_aws.services.service_quotas.service import ServiceQuotas

SERVICES: tuple[type[JsonService], ...] = (
    CodeCommit,
    CodePipeline,
    CodeBuild,
    CodeDeploy,
    Ecs,
    Ecr,
    EcrPublic,
    ServiceQuotas,
    ApplicationAutoScaling,
)
# Operations that do less than AWS's; a request for the rest is `UnsupportedOperation`.
_PROJECT = "Python runtimes; no VPC, batch builds, file systems, secondary sources, Secrets Manager"
_PIPELINE = (
    "CodeCommit, CodeBuild, CodeDeployToECS, deploying to ECS and S3, approval; condition DeploymentWindow "
    "before entry, onFailure RETRY; no PARALLEL, triggers, other regions"
)
_TASK = "no volumes, dependsOn, FireLens, service discovery or Secrets Manager"
_RUN = "on Fargate; overrides of command and environment; no capacity providers or volumes"
_SERVICE = (
    "on Fargate; no service discovery, Service Connect, capacity providers, volumes, circuit breaker or "
    "alarms, and no deployment strategy but ROLLING"
)
_SCAN = "the states of basic scanning; no image is scanned: findings are planted"
_ECS_ONLY = "the ECS compute platform only"
PARTIAL = {
    "codecommit:CreateCommit": "fileContent, not sourceFile",
    "codebuild:CreateProject": _PROJECT,
    "codebuild:UpdateProject": _PROJECT,
    "codebuild:StartBuild": "the overrides that CodePipeline and the console use",
    "codebuild:CreateReportGroup": "of type TEST, without export",
    "codepipeline:CreatePipeline": _PIPELINE,
    "codepipeline:UpdatePipeline": _PIPELINE,
    "codepipeline:DisableStageTransition": "inbound transitions",
    "codepipeline:EnableStageTransition": "inbound transitions",
    "codedeploy:CreateApplication": _ECS_ONLY,
    "codedeploy:CreateDeploymentConfig": _ECS_ONLY,
    "codedeploy:CreateDeploymentGroup": "ECS blue/green deployments; no triggers",
    "codedeploy:UpdateDeploymentGroup": "ECS blue/green deployments; no triggers",
    "codedeploy:CreateDeployment": "AppSpecContent, not a revision in S3 or GitHub",
    "ecs:CreateService": _SERVICE,
    "ecs:UpdateService": _SERVICE,
    "ecs:RegisterTaskDefinition": _TASK,
    "ecs:CreateTaskSet": "on Fargate; no capacity providers or service discovery",
    "ecs:RunTask": _RUN,
    "ecr:PutLifecyclePolicy": "expire, by count or since the push; at once, not within a day",
    "ecr:StartImageScan": _SCAN,
    "ecr:DescribeImageScanFindings": f"{_SCAN}; in one page",
    "application-autoscaling:RegisterScalableTarget": "the desired count of ECS services",
    "application-autoscaling:PutScalingPolicy": (
        "target tracking of an ECS service's CPU, or of a metric or metric math of one's own"
    ),
    "application-autoscaling:DescribeScalingActivities": "without activities that did not scale",
    "service-quotas:GetServiceQuota": "seven quotas, at AWS's defaults",
    "service-quotas:GetAWSDefaultServiceQuota": "seven quotas",
    "service-quotas:ListServiceQuotas": "seven quotas",
}
INTRODUCTION = f"""# API coverage of local_aws

`local-aws api-coverage` prints this page, but for its last section, from the code and from botocore's
models, which boto3 and the AWS CLI use too. Each call of an operation below is validated:

- an input outside the model's types, bounds, patterns or enumerations is rejected with AWS's message;
- an output that does not have the model's shape, or an error that the model does not declare, is a background
  error: it fails every run of ours in which it occurs;
- lists are paginated, {DEFAULT_PAGE_SIZE} items a page by default; boto3's paginators and waiters work.

A *partial* operation does less than AWS's, as its row says, and rejects the rest. An *unsupported* one is
`UnsupportedOperation`, status 501. [Known differences](known-differences.md) lists what differs otherwise.
"""
OTHER_SERVICES = """## The other services

CloudFormation, CloudWatch, EC2, ELBv2, EventBridge, IAM, KMS, Lambda, Logs, S3, SNS, SQS, SSM and STS are
MiniStack's; `local_aws/ministack` corrects what the pipeline needs. Operations come in three classes:

- *checked*: those above, and ELBv2's, whose requests are validated against the model. The data plane of
  ELBv2 is ours;
- *passed through* to MiniStack: those of the other services. `local_aws/ministack/request_checks` refuses
  wrong requests of thirteen of them first: by the model, and by tables of ids, names, states, quotas, tags.
  What they answer is not validated; the scenarios test what they use of it. `GET /_local_aws/passed-through`
  lists those that were answered, and so do the last lines of `make demo` and every report;
- *refused*: an operation that AWS has and MiniStack lacks is `UnsupportedOperation`.
"""


def page() -> str:
    """Return the page, as Markdown."""
    return "\n".join([INTRODUCTION, _summary(), *(_section(service) for service in SERVICES), OTHER_SERVICES])


def implemented(service: type[JsonService]) -> list[str]:
    """Return the operations of AWS's model that a service of ours has a method for."""
    names = service_model(service.service).operation_names
    return [name for name in names if getattr(service, snake_case(name), None) is not None]


def _summary() -> str:
    lines = ["| service | full | partial | unsupported |", "|---|---|---|---|"]
    for service in SERVICES:
        names = implemented(service)
        partial = [name for name in names if f"{service.service}:{name}" in PARTIAL]
        unsupported = len(service_model(service.service).operation_names) - len(names)
        full = len(names) - len(partial)
        lines.append(f"| {service.service} | {full} | {len(partial)} | {unsupported} |")
    return "\n".join([*lines, ""])


def _section(service: type[JsonService]) -> str:
    return "\n".join([f"## {service.service}", "", *_rows(service), ""])


def _rows(service: type[JsonService]) -> Iterator[str]:
    yield "| operation | coverage | notes |"
    yield "|---|---|---|"
    names = implemented(service)
    for name in names:
        note = PARTIAL.get(f"{service.service}:{name}", "")
        paginated = "paginated" if name in paginators(service.service) else ""
        coverage = "partial" if note else "full"
        yield f"| {name} | {coverage} | {'; '.join(filter(None, (note, paginated)))} |"
    unsupported = [name for name in service_model(service.service).operation_names if name not in names]
    yield f"| {', '.join(unsupported)} | unsupported | |"
