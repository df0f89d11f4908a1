"""Jobs of GitHub Actions on local_aws: their credentials, and the commands of the workflow."""

import base64
import json
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

from harness.cloud import PROJECT, Cloud
from operations.cdk_cli import CDK

HOST = "token.actions.githubusercontent.com"
WORKFLOW = PROJECT / "lib/ci-cd.yml"
# The commands of one job, in a step that ends the job.
COMMANDS = re.compile(r"^ {10}((?:cdk|python) .*assemblies/staging\n(?: {10}.*\n)+)", re.M)


def assume_role(cloud: Cloud, role: str, sub: str) -> dict[str, Any]:
    """Assume a role as a GitHub job whose token has this `sub`."""
    claims = json.dumps({"iss": f"https://{HOST}", "aud": "sts.amazonaws.com", "sub": sub})
    body = base64.urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    sts = boto3.client(
        "sts",
        endpoint_url=cloud.endpoint,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED),
    )
    answer: dict[str, Any] = sts.assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::{cloud.account.id}:role/{role}",
        RoleSessionName="job",
        WebIdentityToken=f"e30.{body}.x",
    )
    return answer


def deploy_commands(suffix: str, context: list[str], folder: Path) -> Iterator[list[str]]:
    """Yield the synthesis, then the commands of the job deploy-staging, for another suffix.

    The assembly is in `folder`, as if the job had downloaded it there.
    """
    found = COMMANDS.search(WORKFLOW.read_text("utf-8"))
    assert found is not None
    programs = {"cdk": str(CDK), "python": sys.executable}
    yield [str(CDK), "synth", "--quiet", "--no-notices", *context, "--output", str(folder)]
    for line in found[1].splitlines():
        words = shlex.split(line.replace("assemblies/staging", str(folder)).replace(" staging", f" {suffix}"))
        yield [programs[words[0]], *words[1:]]
