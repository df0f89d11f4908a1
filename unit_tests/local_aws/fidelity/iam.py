"""Wrong calls of IAM, and of STS."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account, policy
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

ARN = "arn:aws:iam::123456789012"
TRUST = policy(
    {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
)
READ = policy({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
LARGE = policy(
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": [f"arn:aws:s3:::{'b' * 60}/*"] * 200}
)
BROKEN = "{}"
MISSING_POLICY = f"{ARN}:policy/nope"
FULL_POLICY = f"{ARN}:policy/full"
POLICY = f"{ARN}:policy/used"
OF_ECS = "arn:aws:iam::aws:policy/aws-service-role/AmazonECSServiceRolePolicy"
PROVIDER = f"{ARN}:oidc-provider/issuer.example.com"
LINKED = "AWSServiceRoleForECS"
FIFTY_TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
ROLE = {"RoleName": "role"}
INLINE = {**ROLE, "PolicyName": "inline"}
NOT_FOUND = "NoSuchEntity"
INVALID = "InvalidInput"
MALFORMED = "MalformedPolicyDocument"


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a role with a policy of each kind, a policy with five versions, a user and a provider."""
    client = account.client("iam")
    client.create_role(**ROLE, AssumeRolePolicyDocument=TRUST)
    client.put_role_policy(**INLINE, PolicyDocument=READ)
    client.create_policy(PolicyName="used", PolicyDocument=READ)
    client.attach_role_policy(**ROLE, PolicyArn=POLICY)
    client.create_policy(PolicyName="full", PolicyDocument=READ)
    for _ in range(4):
        client.create_policy_version(PolicyArn=FULL_POLICY, PolicyDocument=READ)
    # With the service-linked role of ECS.
    account.client("ecs").create_cluster(clusterName="any")
    client.create_role(RoleName="tagged", AssumeRolePolicyDocument=TRUST, Tags=FIFTY_TAGS)
    client.create_user(UserName="user")
    for _ in range(2):
        client.create_access_key(UserName="user")
    client.create_open_id_connect_provider(
        Url="https://issuer.example.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    client.create_role(RoleName="attached", AssumeRolePolicyDocument=TRUST)
    for number in range(10):
        arn = client.create_policy(PolicyName=f"many{number}", PolicyDocument=READ)["Policy"]["Arn"]
        client.attach_role_policy(RoleName="attached", PolicyArn=arn)
    return {}


VALID: Mapping[str, Mapping[str, Any]] = {
    "AttachRolePolicy": {**ROLE, "PolicyArn": POLICY},
    "CreateAccessKey": {"UserName": "user"},
    "CreateOpenIDConnectProvider": {"Url": "https://new.example.com", "ThumbprintList": ["0" * 40]},
    "CreatePolicy": {"PolicyName": "new", "PolicyDocument": READ},
    "CreatePolicyVersion": {"PolicyArn": POLICY, "PolicyDocument": READ},
    "CreateRole": {"RoleName": "new", "AssumeRolePolicyDocument": TRUST},
    "CreateServiceLinkedRole": {"AWSServiceName": "ecs.application-autoscaling.amazonaws.com"},
    "CreateUser": {"UserName": "new"},
    "DeleteOpenIDConnectProvider": {"OpenIDConnectProviderArn": PROVIDER},
    "DeletePolicy": {"PolicyArn": POLICY},
    "DeletePolicyVersion": {"PolicyArn": POLICY, "VersionId": "v1"},
    "DeleteRole": ROLE,
    "DeleteRolePolicy": INLINE,
    "DeleteUser": {"UserName": "user"},
    "DetachRolePolicy": {**ROLE, "PolicyArn": POLICY},
    "GetAccountSummary": {},
    "GetOpenIDConnectProvider": {"OpenIDConnectProviderArn": PROVIDER},
    "GetPolicy": {"PolicyArn": POLICY},
    "GetPolicyVersion": {"PolicyArn": POLICY, "VersionId": "v1"},
    "GetRole": ROLE,
    "GetRolePolicy": INLINE,
    "GetUser": {"UserName": "user"},
    "ListAttachedRolePolicies": ROLE,
    "ListPolicyVersions": {"PolicyArn": POLICY},
    "ListRolePolicies": ROLE,
    "ListRoles": {},
    "ListRoleTags": ROLE,
    "PutRolePermissionsBoundary": {**ROLE, "PermissionsBoundary": POLICY},
    "PutRolePolicy": {**INLINE, "PolicyDocument": READ},
    "TagRole": {**ROLE, "Tags": [{"Key": "k", "Value": "v"}]},
    "UntagRole": {**ROLE, "TagKeys": ["k"]},
    "UpdateAssumeRolePolicy": {**ROLE, "PolicyDocument": TRUST},
    "UpdateRole": ROLE,
}
WRONG = (
    Wrong("RoleName", "nope", NOT_FOUND),
    Wrong("RoleName", "role", "EntityAlreadyExists"),
    Wrong("RoleName", "role", "DeleteConflict"),
    Wrong("RoleName", LINKED, "UnmodifiableEntity"),
    Wrong("UserName", "nope", NOT_FOUND, ("CreateUser",)),
    Wrong("UserName", "user", "EntityAlreadyExists"),
    Wrong("UserName", "user", "DeleteConflict"),
    Wrong("PolicyName", "nope", NOT_FOUND, ("PutRolePolicy",)),
    Wrong("PolicyName", "used", "EntityAlreadyExists"),
    Wrong("PolicyArn", MISSING_POLICY, NOT_FOUND),
    Wrong("PolicyArn", "x" * 20, INVALID),
    Wrong("PolicyArn", POLICY, "DeleteConflict"),
    Wrong("PolicyArn", OF_ECS, "PolicyNotAttachable"),
    Wrong("PermissionsBoundary", OF_ECS, "PolicyNotAttachable"),
    Wrong("PermissionsBoundary", MISSING_POLICY, NOT_FOUND),
    Wrong("PermissionsBoundary", "x" * 20, INVALID),
    Wrong("PolicyDocument", BROKEN, MALFORMED),
    Wrong("PolicyDocument", "zz", MALFORMED),
    Wrong("PolicyDocument", LARGE, "LimitExceeded"),
    Wrong("AssumeRolePolicyDocument", BROKEN, MALFORMED),
    Wrong("AssumeRolePolicyDocument", "zz", MALFORMED),
    Wrong("VersionId", "v9", NOT_FOUND),
    Wrong("VersionId", "v1", "DeleteConflict"),
    Wrong("OpenIDConnectProviderArn", f"{PROVIDER}x", NOT_FOUND, ("DeleteOpenIDConnectProvider",)),
    Wrong("OpenIDConnectProviderArn", "x" * 20, INVALID),
    Wrong("Url", "https://issuer.example.com", "EntityAlreadyExists"),
    Wrong("Url", "http://plain.example.com", INVALID),
    Wrong("AWSServiceName", "ecs.amazonaws.com", INVALID),
    Wrong("AWSServiceName", "nope", INVALID),
    Wrong("Tags", [{"Key": "aws:k", "Value": "v"}], INVALID),
    Wrong("Tags", [{"Key": "k", "Value": "v"}, {"Key": "K", "Value": "v"}], INVALID),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("AttachRolePolicy", {"RoleName": "attached"}, "LimitExceeded"),
    ("CreateAccessKey", {}, "LimitExceeded"),
    ("CreatePolicyVersion", {"PolicyArn": FULL_POLICY}, "LimitExceeded"),
    ("TagRole", {"RoleName": "tagged", "Tags": [{"Key": "more", "Value": "v"}]}, "LimitExceeded"),
)
SUITE = Suite("iam", tuple(VALID), VALID, WRONG, CHANGES, prepare, invalid="ValidationError")

ISSUER = "tokens.example.com"
PROVIDED = {"Federated": f"{ARN}:oidc-provider/{ISSUER}"}


def token(expiration: int) -> str:
    """Return a token of the provider, which expires at a time in seconds."""
    claims = {"iss": f"https://{ISSUER}", "aud": "sts.amazonaws.com", "sub": "s", "exp": expiration}
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()}.x"


def prepare_sessions(account: Account) -> Mapping[str, Any]:
    """Create a provider, and a role for its tokens and for the account's users."""
    client = account.client("iam")
    client.create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    trust = policy(
        {"Effect": "Allow", "Principal": PROVIDED, "Action": "sts:AssumeRoleWithWebIdentity"},
        {"Effect": "Allow", "Principal": {"AWS": f"{ARN}:root"}, "Action": "sts:AssumeRole"},
    )
    client.create_role(RoleName="assumed", AssumeRolePolicyDocument=trust)
    return {}


SESSION = {"RoleArn": f"{ARN}:role/assumed", "RoleSessionName": "test"}
STS = Suite(
    "sts",
    ("AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"),
    {
        "AssumeRole": SESSION,
        "AssumeRoleWithWebIdentity": {**SESSION, "WebIdentityToken": token(2**33)},
    },
    (
        Wrong("WebIdentityToken", "a.b.c", "InvalidIdentityToken"),
        Wrong("WebIdentityToken", token(1), "ExpiredTokenException"),
    ),
    (("AssumeRoleWithWebIdentity", {"Policy": "zz"}, MALFORMED),),
    prepare_sessions,
    invalid="ValidationError",
    keyless=(("AssumeRole", {"Policy": "zz"}, MALFORMED),),
)
