"""Callers: a web identity, a function, a service with a role, the login of an image registry."""

import base64
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.containers.images.registry_client import Reference, Registry, RegistryError
from local_aws.core.api import CALLER, AwsError
from local_aws.core.clock import Clock
from local_aws.core.context import Context, ServiceRole, Source
from local_aws.iam.enforcement import Enforcer
from local_aws.iam.error_responses import Denial
from local_aws.iam.matching import Value
from local_aws.iam.required_permissions import Permission
from local_aws.iam.web_identity import TokenError, identity
from unit_tests.local_aws.cloudformation_cloud import Cloud
from unit_tests.local_aws.containers.fakes import HOST, build, project, shared_store
from unit_tests.local_aws.services.ecr.registry_server import make_ecr, serving

ACCOUNT = "123456789012"
HOSTED = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{HOSTED}"
CLAIMS = {"iss": f"https://{HOSTED}", "aud": "sts.amazonaws.com", "sub": "repo:org/app:ref:refs/heads/main"}
CALLER_CODE = b"""
import boto3, os
def handler(event, context):
    client = boto3.client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL"], region_name="us-east-1")
    return client.get_caller_identity()["Arn"]
"""


def token(**claims: str) -> str:
    body = base64.urlsafe_b64encode(json.dumps({**CLAIMS, **claims}).encode()).decode().rstrip("=")
    return f"e30.{body}.x"


def trust(principal: dict[str, str], action: str, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_token_s_claims_are_context_keys_of_its_provider() -> None:
    found = identity(token(), ACCOUNT, {PROVIDER: ["sts.amazonaws.com"]})
    assert found.caller.federated == PROVIDER
    assert found.values == {f"{HOSTED}:aud": "sts.amazonaws.com", f"{HOSTED}:sub": CLAIMS["sub"]}


@pytest.mark.parametrize(
    ("given", "providers", "message"),
    [
        (token(), {}, "No OpenIDConnect provider found in your account for https://token.actions"),
        (token(aud="other"), {PROVIDER: ["sts.amazonaws.com"]}, "Incorrect token audience"),
        ("nonsense", {PROVIDER: ["sts.amazonaws.com"]}, "not a valid JWT"),
        ("a.bm90IGpzb24.c", {PROVIDER: ["sts.amazonaws.com"]}, "not a valid JWT"),
    ],
)
def test_an_invalid_token_is_rejected(given: str, providers: dict[str, list[str]], message: str) -> None:
    with pytest.raises(TokenError, match=message):
        identity(given, ACCOUNT, providers)


def test_a_web_identity_assumes_only_the_role_of_its_branch(cloud: Cloud) -> None:
    iam = cloud.client("iam")
    iam.create_open_id_connect_provider(Url=f"https://{HOSTED}", ClientIDList=["sts.amazonaws.com"])
    condition = {"StringEquals": {f"{HOSTED}:aud": "sts.amazonaws.com", f"{HOSTED}:sub": CLAIMS["sub"]}}
    document = trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", Condition=condition)
    arn = iam.create_role(RoleName="github", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    sts = boto3.client(
        "sts",
        endpoint_url=cloud.server.endpoint,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED),
    )
    given = {"RoleArn": arn, "RoleSessionName": "run", "WebIdentityToken": token()}
    assert sts.assume_role_with_web_identity(**given)["AssumedRoleUser"]["Arn"].endswith("github/run")
    given["WebIdentityToken"] = token(sub="repo:org/app:pull_request")
    with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        sts.assume_role_with_web_identity(**given)


def test_a_function_acts_as_its_role(cloud: Cloud) -> None:
    document = trust({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")
    arn = cloud.client("iam").create_role(RoleName="fn", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("caller.py", CALLER_CODE)
    functions = cloud.client("lambda")
    functions.create_function(
        FunctionName="caller",
        Runtime="python3.12",
        Role=arn,
        Handler="caller.handler",
        Code={"ZipFile": packed.getvalue()},
        Timeout=60,
    )
    payload = functions.invoke(FunctionName="caller")["Payload"].read()
    assert json.loads(payload) == f"arn:aws:sts::{ACCOUNT}:assumed-role/fn/lambda"
    # The role has no permission for logs, so there is no log group.
    time.sleep(0.5)
    groups = cloud.client("logs").describe_log_groups(logGroupNamePrefix="/aws/lambda/caller")
    assert groups["logGroups"] == []


def test_a_service_assumes_only_a_role_that_trusts_it(cloud: Cloud) -> None:
    other = trust({"Service": "ecs-tasks.amazonaws.com"}, "sts:AssumeRole")
    arn = cloud.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=other)["Role"]["Arn"]
    deploy = cloud.client("codedeploy")
    deploy.create_application(applicationName="app", computePlatform="ECS")
    with pytest.raises(
        ClientError, match="does not have the permissions required to assume the role"
    ) as caught:
        deploy.create_deployment_group(
            applicationName="app",
            deploymentGroupName="g",
            serviceRoleArn=arn,
            deploymentStyle={
                "deploymentType": "BLUE_GREEN",
                "deploymentOption": "WITH_TRAFFIC_CONTROL",
            },
            blueGreenDeploymentConfiguration={
                "terminateBlueInstancesOnDeploymentSuccess": {"action": "TERMINATE"}
            },
        )
    assert caught.value.response["Error"]["Code"] == "InvalidRoleException"


@pytest.mark.parametrize("source", list(Source))
def test_a_service_sends_only_what_is_documented_of_its_source(tmp_path: Path, source: Source) -> None:
    """A trust policy cannot require more (pitfall D10)."""
    enforcer = Enforcer(Context(tmp_path, "http://127.0.0.1:1", Clock(1.0), "test", emit=lambda *_: None))
    sent: list[str] = []

    def decide(_principal: str, _permission: Permission, keys: dict[str, Value]) -> Denial:
        sent.extend(keys)
        return Denial("no")

    enforcer._decide_on_service = decide  # type: ignore[method-assign, assignment]
    pipeline = f"arn:aws:codepipeline:us-east-1:{ACCOUNT}:pipeline-dev"
    with pytest.raises(ClientError, match="no"):
        enforcer.assume(ServiceRole(f"arn:aws:iam::{ACCOUNT}:role/r", "codepipeline", pipeline, source))
    assert sent == list(source.value)


@pytest.mark.parametrize(
    "missing",
    ["ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"],
)
def test_a_push_needs_each_permission_of_the_login_s_owner(tmp_path: Path, missing: str) -> None:
    ecr = make_ecr(tmp_path / "state")
    requested: list[tuple[str, str]] = []

    def authorize(caller: str, action: str, resource: str) -> None:
        requested.append((caller, resource))
        if action == missing:
            raise AwsError("AccessDeniedException", f"User: x is not authorized to perform: {action}")

    ecr.context.authorize = authorize
    ecr.call("CreateRepository", {"repositoryName": "app"})
    CALLER.set("ASIAOWNER")
    data = ecr.call("GetAuthorizationToken", {})["authorizationData"][0]
    login = base64.b64decode(data["authorizationToken"]).decode()
    image = build(project(tmp_path / "project", f"FROM BASE\nENV A={missing}"))
    with serving(ecr) as endpoint:
        registry = Registry(endpoint, Reference.parse(f"{HOST}/app:v1"), login)
        with pytest.raises(RegistryError, match=missing) as caught:
            registry.push(shared_store(), image, lambda _: None)
    assert caught.value.status == 403
    assert set(requested) == {("ASIAOWNER", f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app")}


def test_a_trust_policy_with_a_nonexistent_role_is_rejected(cloud: Cloud) -> None:
    """pitfall M2: by the API and to change one too; an account alone need not exist."""
    iam = cloud.client("iam")
    account = trust({"AWS": "arn:aws:iam::999999999999:root"}, "sts:AssumeRole")
    existing = iam.create_role(RoleName="existing", AssumeRolePolicyDocument=account)["Role"]["Arn"]
    iam.create_role(RoleName="second", AssumeRolePolicyDocument=trust({"AWS": existing}, "sts:AssumeRole"))
    missing = trust({"AWS": f"{existing}-not"}, "sts:AssumeRole")
    message = f'MalformedPolicyDocument.*Invalid principal in policy: "AWS":"{existing}-not"'
    with pytest.raises(ClientError, match=message):
        iam.create_role(RoleName="third", AssumeRolePolicyDocument=missing)
    with pytest.raises(ClientError, match=message):
        iam.update_assume_role_policy(RoleName="second", PolicyDocument=missing)
