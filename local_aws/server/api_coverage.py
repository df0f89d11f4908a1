"""Writes docs/local-aws.md: which operations are there, which in part, and which are refused by name.

`python -m local_aws.server.api_coverage --write | --check`: exit code 1 when the page is not current.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from local_aws.core.api import JsonService, service_model, snake_case
from local_aws.core.pagination import MOST, pagination
from local_aws.services.codebuild.service import CodeBuild
from local_aws.services.codecommit.service import CodeCommit
from local_aws.services.codedeploy.service import CodeDeploy
from local_aws.services.codepipeline.service import CodePipeline
from local_aws.services.ecr.service import Ecr
from local_aws.services.ecs.service import Ecs
from local_aws.services.service_quotas.service import ServiceQuotas

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "local-aws.md"
OURS: tuple[type[JsonService], ...] = (
    CodeCommit,
    CodePipeline,
    CodeBuild,
    CodeDeploy,
    Ecs,
    Ecr,
    ServiceQuotas,
)
# Operations that do less than AWS's; what is left out is refused by name where it is asked for.
_PROJECT = "Python runtimes; no VPC, batch builds, file systems, secondary sources, Secrets Manager"
_PIPELINE = (
    "CodeCommit, CodeBuild, CodeDeployToECS, approval; no PARALLEL, triggers, conditions, other regions"
)
_TASK = "no volumes, dependsOn, FireLens, service discovery or Secrets Manager"
_SERVICE = "no service discovery, Service Connect, circuit breaker of a rolling update, capacity providers"
_ECS_ONLY = "the ECS compute platform only"
PARTIAL = {
    "codecommit:CreateCommit": "fileContent, not sourceFile",
    "codebuild:CreateProject": _PROJECT,
    "codebuild:UpdateProject": _PROJECT,
    "codebuild:StartBuild": "the overrides that CodePipeline and the console's form use",
    "codebuild:CreateReportGroup": "of type TEST, without export",
    "codepipeline:CreatePipeline": _PIPELINE,
    "codepipeline:UpdatePipeline": _PIPELINE,
    "codepipeline:DisableStageTransition": "inbound transitions",
    "codepipeline:EnableStageTransition": "inbound transitions",
    "codedeploy:CreateApplication": _ECS_ONLY,
    "codedeploy:CreateDeploymentConfig": _ECS_ONLY,
    "codedeploy:CreateDeploymentGroup": "blue/green of ECS; no triggers",
    "codedeploy:UpdateDeploymentGroup": "blue/green of ECS; no triggers",
    "codedeploy:CreateDeployment": "AppSpecContent, not a revision in S3 or GitHub",
    "ecs:CreateService": _SERVICE,
    "ecs:UpdateService": _SERVICE,
    "ecs:RegisterTaskDefinition": _TASK,
    "ecs:RunTask": _TASK,
    "ecr:PutLifecyclePolicy": "it is kept and not applied",
    "ecr:PutImageScanningConfiguration": "it is kept; nothing is scanned",
    "service-quotas:GetServiceQuota": "seven quotas, at AWS's defaults",
    "service-quotas:GetAWSDefaultServiceQuota": "seven quotas",
    "service-quotas:ListServiceQuotas": "seven quotas",
}
ABOUT = f"""# What local_aws answers

Written by `python -m local_aws.server.api_coverage --write` from the code and from botocore's models, which
boto3 and the AWS CLI are made from too. For each operation below, at each call:

- an input that breaks the model's types, limits, patterns or enumerations is refused in AWS's words;
- an answer that has not the model's shape, or a refusal that the model does not declare, is a fault: it ends
  every run of ours that meets it;
- lists come in pages, of {MOST} items unless fewer are asked for; the paginators and waiters of boto3 work.

What is *partial* does less than AWS, as its line says, and refuses the rest by name. *Refused* is
`UnsupportedOperation`, status 501. [Known differences](known-differences.md) has what differs all the same.
"""
OTHERS = """## The other services

CloudFormation, CloudWatch, EC2, ELBv2, EventBridge, IAM, KMS, Lambda, Logs, S3, SNS, SQS, SSM and STS are
MiniStack's, with what the road needs corrected in `local_aws/ministack`. Their operations are not checked
against the models; the scenarios check what they ask of them. Behind ELBv2's, the data plane is ours.
"""


def page() -> str:
    """Return docs/local-aws.md."""
    return "\n".join([ABOUT, _summary(), *(_section(one) for one in OURS), OTHERS])


def implemented(service: type[JsonService]) -> list[str]:
    """Return the operations of AWS's model that a service of ours has a method for."""
    names = service_model(service.service).operation_names
    return [name for name in names if getattr(service, snake_case(name), None) is not None]


def _summary() -> str:
    lines = ["| service | real | partial | refused |", "|---|---|---|---|"]
    for one in OURS:
        there = implemented(one)
        partial = [name for name in there if f"{one.service}:{name}" in PARTIAL]
        refused = len(service_model(one.service).operation_names) - len(there)
        lines.append(f"| {one.service} | {len(there) - len(partial)} | {len(partial)} | {refused} |")
    return "\n".join([*lines, ""])


def _section(service: type[JsonService]) -> str:
    return "\n".join([f"## {service.service}", "", *_rows(service), ""])


def _rows(service: type[JsonService]) -> Iterator[str]:
    yield "| operation | is | known differences |"
    yield "|---|---|---|"
    there = implemented(service)
    for name in there:
        note = PARTIAL.get(f"{service.service}:{name}", "")
        pages = "in pages" if name in pagination(service.service) else ""
        yield f"| {name} | {'partial' if note else 'real'} | {'; '.join(filter(None, (note, pages)))} |"
    refused = [name for name in service_model(service.service).operation_names if name not in there]
    yield f"| {', '.join(refused)} | refused | |"


def main() -> int:
    """Do what the one argument asks."""
    parser = argparse.ArgumentParser(prog="python -m local_aws.server.api_coverage", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", action="store_true", help="write docs/local-aws.md")
    what.add_argument("--check", action="store_true", help="say whether it is current, and change nothing")
    if parser.parse_args().write:
        PAGE.write_text(page(), "utf-8")
    elif not PAGE.is_file() or PAGE.read_text("utf-8") != page():
        print(f"error: docs/local-aws.md is not current: {parser.prog} --write", file=sys.stderr)
        return 1
    else:
        print(
            f"local_aws: {sum(len(implemented(one)) for one in OURS)} operations, as docs/local-aws.md says"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
