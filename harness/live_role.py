"""The role with which GitHub Actions runs the scenarios on AWS (docs/access.md), played on local_aws."""

import json
from dataclasses import replace

from harness.cloud import PROJECT, Cloud

LIVE_ROLE = "live-role"
POLICY = PROJECT / "lib" / "live-role-policy.json"


def with_live_role(cloud: Cloud) -> Cloud:
    """Return the cloud with the credentials of a role that has this policy only; AWS as it is.

    On AWS, the caller's credentials are those of the role, or a person's.
    """
    if cloud.endpoint is None:
        return cloud
    iam, sts = cloud.client("iam"), cloud.client("sts")
    principal = {"AWS": f"arn:aws:iam::{cloud.account.id}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    document = {"Version": "2012-10-17", "Statement": [trust]}
    role = iam.create_role(RoleName=LIVE_ROLE, AssumeRolePolicyDocument=json.dumps(document))["Role"]
    iam.put_role_policy(RoleName=LIVE_ROLE, PolicyName="scenarios", PolicyDocument=POLICY.read_text("utf-8"))
    session = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="scenarios")["Credentials"]
    keys = {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
    return replace(cloud, keys=keys)
