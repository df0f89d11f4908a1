"""People of an account with IAM: a role each, and what they call and push with its credentials."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from harness.cloud import Cloud
from operations.account import Account

DEVELOPER = [
    {"Effect": "Allow", "Action": ["codecommit:*", "codepipeline:*", "sts:AssumeRole"], "Resource": "*"},
]


class Person:
    """A session of the role `role`, in the account of `cloud`."""

    def __init__(self, cloud: Cloud, role: str, name: str, assumed_by: "Person | None" = None) -> None:
        self.cloud = cloud
        arn = role if role.startswith("arn:") else f"arn:aws:iam::{cloud.account.id}:role/{role}"
        sts = cloud.client("sts") if assumed_by is None else assumed_by.client("sts")
        self.keys = sts.assume_role(RoleArn=arn, RoleSessionName=name)["Credentials"]
        session = boto3.session.Session(
            aws_access_key_id=self.keys["AccessKeyId"],
            aws_secret_access_key=self.keys["SecretAccessKey"],
            aws_session_token=self.keys["SessionToken"],
            region_name="us-east-1",
        )
        self.account = Account(session, cloud.endpoint)

    def client(self, service: str) -> Any:
        """Return a client with the credentials of the session."""
        return self.account.client(service)

    def git(self, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
        """Run git with the credentials of the session, which CodeCommit's credential helper signs with."""
        helper = "!aws codecommit credential-helper --ignore-host-check $@"
        settings = {"credential.helper": helper, "credential.UseHttpPath": "true"}
        settings |= {"user.name": "me", "user.email": "me@example.com"}
        command = ["git", *(word for key, value in settings.items() for word in ("-c", f"{key}={value}"))]
        keys = {
            "AWS_ACCESS_KEY_ID": self.keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self.keys["SessionToken"],
        }
        return subprocess.run(  # noqa: S603 - git, with the words of our own tests
            [*command, *words],
            cwd=folder,
            env={**self.cloud.environment, **keys, "GIT_TERMINAL_PROMPT": "0"},
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def role(
    cloud: Cloud, name: str, statements: Sequence[dict[str, Any]] = DEVELOPER, trusts: str = ""
) -> Iterator[str]:
    """Create a role of the account that its own users may assume; delete it when the context closes."""
    iam = cloud.client("iam")
    trust = {"AWS": trusts or f"arn:aws:iam::{cloud.account.id}:root"}
    assume = {"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({**document, "Statement": [assume]}))
    policy = json.dumps({**document, "Statement": list(statements)})
    iam.put_role_policy(RoleName=name, PolicyName="rights", PolicyDocument=policy)
    try:
        yield name
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="rights")
        for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            iam.detach_role_policy(RoleName=name, PolicyArn=attached["PolicyArn"])
        iam.delete_role(RoleName=name)
