"""local_aws denies what AWS denies, with AWS's message, and logs which statements are used."""

import json
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import Cloud

ACCOUNT = "123456789012"
OWNER = f"arn:aws:iam::{ACCOUNT}:root"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:t"
QUEUE = f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = None, **more: Any) -> dict[str, Any]:
    about = {} if resource is None else {"Resource": resource}
    return {"Effect": "Allow", "Action": action, **about, **more}


def role(cloud: Cloud, name: str, *statements: dict[str, Any], trust: Any = OWNER, **condition: Any) -> str:
    """Make a role with these statements; return its ARN."""
    principal = trust if isinstance(trust, dict) else {"AWS": trust}
    trusting = allow("sts:AssumeRole", Principal=principal, **condition)
    made = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trusting))
    if statements:
        cloud.client("iam").put_role_policy(
            RoleName=name, PolicyName="own", PolicyDocument=document(*statements)
        )
    return str(made["Role"]["Arn"])


def acting(cloud: Cloud, arn: str, by: Any = None, **more: Any) -> boto3.session.Session:
    """Take on a role, as the owner or by a client of STS."""
    sts = by or cloud.client("sts")
    given = sts.assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]
    return boto3.session.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
        region_name="us-east-1",
    )


def client(cloud: Cloud, session: boto3.session.Session, service: str) -> Any:
    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    return session.client(service, endpoint_url=cloud.server.endpoint, config=config)


def denial(call: Any, **params: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as caught:
        call(**params)
    error = caught.value.response
    return {**error["Error"], "Status": error["ResponseMetadata"]["HTTPStatusCode"]}


def report(cloud: Cloud) -> dict[str, Any]:
    return cloud.server.permissions()


@pytest.mark.parametrize(
    ("service", "call", "params", "code", "action"),
    [
        ("ecs", "list_clusters", {}, "AccessDeniedException", "ecs:ListClusters"),
        ("ssm", "get_parameter", {"Name": "/x"}, "AccessDeniedException", "ssm:GetParameter"),
        ("s3", "list_objects_v2", {"Bucket": "b"}, "AccessDenied", "s3:ListBucket"),
        ("iam", "get_role", {"RoleName": "x"}, "AccessDenied", "iam:GetRole"),
        ("sns", "publish", {"TopicArn": TOPIC, "Message": "m"}, "AuthorizationError", "sns:Publish"),
        ("ec2", "describe_vpcs", {}, "UnauthorizedOperation", "ec2:DescribeVpcs"),
        ("elbv2", "describe_rules", {}, "AccessDenied", "elasticloadbalancing:DescribeRules"),
        ("cloudwatch", "describe_alarms", {}, "AccessDenied", "cloudwatch:DescribeAlarms"),
        ("cloudformation", "list_stacks", {}, "AccessDenied", "cloudformation:ListStacks"),
        ("codebuild", "start_build", {"projectName": "p"}, "AccessDeniedException", "codebuild:StartBuild"),
        ("lambda", "invoke", {"FunctionName": "f"}, "AccessDeniedException", "lambda:InvokeFunction"),
    ],
)  # fmt: skip
def test_a_role_without_a_permission_is_denied_in_the_service_s_protocol(
    cloud: Cloud, service: str, call: str, params: dict[str, Any], code: str, action: str
) -> None:
    name = f"nothing-{service}"
    session = acting(cloud, role(cloud, name))
    error = denial(getattr(client(cloud, session, service), call), **params)
    assert error["Code"].startswith(code.removesuffix("Exception"))
    assert f"assumed-role/{name}/test is not authorized to perform: {action}" in error["Message"]
    assert error["Message"].endswith(f"because no identity-based policy allows the {action} action")


def test_a_permission_is_for_its_resource_only(cloud: Cloud) -> None:
    cloud.client("sqs").create_queue(QueueName="jobs")
    cloud.client("sqs").create_queue(QueueName="other")
    session = acting(cloud, role(cloud, "sender", allow("sqs:SendMessage", QUEUE)))
    sqs = client(cloud, session, "sqs")
    queue = f"{cloud.server.endpoint}/{ACCOUNT}/jobs"
    assert sqs.send_message(QueueUrl=queue, MessageBody="m")["MessageId"]
    error = denial(sqs.send_message, QueueUrl=f"{cloud.server.endpoint}/{ACCOUNT}/other", MessageBody="m")
    assert error["Code"].startswith("AccessDenied")


def test_get_caller_identity_needs_no_permission(cloud: Cloud) -> None:
    session = acting(cloud, role(cloud, "unprivileged"))
    arn = client(cloud, session, "sts").get_caller_identity()["Arn"]
    assert arn == f"arn:aws:sts::{ACCOUNT}:assumed-role/unprivileged/test"


def test_an_encrypted_object_needs_a_permission_for_its_key(cloud: Cloud) -> None:
    key = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    cloud.client("kms").put_key_policy(
        KeyId=key, PolicyName="default", Policy=document(allow("kms:*", "*", Principal={"AWS": OWNER}))
    )
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="sealed")
    s3.put_object(Bucket="sealed", Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    reads = allow("s3:GetObject", "arn:aws:s3:::sealed/*")
    without = client(cloud, acting(cloud, role(cloud, "reader", reads)), "s3")
    error = denial(without.get_object, Bucket="sealed", Key="k")
    assert error["Message"].endswith("because no identity-based policy allows the kms:Decrypt action")
    opens = allow("kms:Decrypt", key)
    opener = client(cloud, acting(cloud, role(cloud, "opener", reads, opens)), "s3")
    assert opener.get_object(Bucket="sealed", Key="k")["Body"].read() == b"x"
    # A key whose policy allows nobody in the account denies every role, whatever the role's policy allows.
    foreign = document(allow("kms:*", "*", Principal={"AWS": "210987654321"}))
    cloud.client("kms").put_key_policy(
        KeyId=key, PolicyName="default", Policy=foreign, BypassPolicyLockoutSafetyCheck=True
    )
    error = denial(opener.get_object, Bucket="sealed", Key="k")
    assert error["Message"].endswith("because no resource-based policy allows the kms:Decrypt action")


def test_listing_and_creating_keys_is_about_no_key_and_needs_no_key_policy(cloud: Cloud) -> None:
    session = acting(cloud, role(cloud, "keeper", allow(["kms:ListKeys", "kms:ListAliases"], "*")))
    kms = client(cloud, session, "kms")
    assert "Keys" in kms.list_keys()
    assert "Aliases" in kms.list_aliases()
    assert denial(kms.create_key)["Message"].endswith(
        "no identity-based policy allows the kms:CreateKey action"
    )


def test_a_bucket_policy_allows_one_role_and_denies_another(cloud: Cloud) -> None:
    guest, host = role(cloud, "guest"), role(cloud, "host", allow("s3:*", "*"))
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="shared")
    s3.put_object(Bucket="shared", Key="k", Body=b"x")
    everything = ["arn:aws:s3:::shared", "arn:aws:s3:::shared/*"]
    lets = allow("s3:GetObject", everything, Principal={"AWS": guest})
    shuts = {**allow("s3:GetObject", everything, Principal={"AWS": host}), "Effect": "Deny"}
    s3.put_bucket_policy(Bucket="shared", Policy=document(lets, shuts))
    assert client(cloud, acting(cloud, guest), "s3").get_object(Bucket="shared", Key="k")
    error = denial(client(cloud, acting(cloud, host), "s3").get_object, Bucket="shared", Key="k")
    assert error["Message"].endswith("with an explicit deny in a resource-based policy")


def test_only_a_trusted_role_assumes_a_role(cloud: Cloud) -> None:
    first = role(cloud, "first", allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/*"))
    second = role(cloud, "second", trust=first)
    third = role(cloud, "third", allow("sts:AssumeRole", "*"))
    by = client(cloud, acting(cloud, first), "sts")
    assert acting(cloud, second, by=by)
    error = denial(
        client(cloud, acting(cloud, third), "sts").assume_role, RoleArn=second, RoleSessionName="xx"
    )
    assert error["Code"] == "AccessDenied"
    assert error["Message"] == (
        f"User: arn:aws:sts::{ACCOUNT}:assumed-role/third/test is not authorized to perform: sts:AssumeRole "
        f"on resource: {second}"
    )
    assert denial(cloud.client("sts").assume_role, RoleArn=second, RoleSessionName="xx")["Status"] == 403


def test_a_nonexistent_role_cannot_be_assumed(cloud: Cloud) -> None:
    gone = f"arn:aws:iam::{ACCOUNT}:role/gone"
    assert (
        denial(cloud.client("sts").assume_role, RoleArn=gone, RoleSessionName="xx")["Code"] == "AccessDenied"
    )


def test_an_external_id_is_required(cloud: Cloud) -> None:
    arn = role(cloud, "guarded", Condition={"StringEquals": {"sts:ExternalId": "secret"}})
    assert acting(cloud, arn, ExternalId="secret")
    assert (
        denial(cloud.client("sts").assume_role, RoleArn=arn, RoleSessionName="xx")["Code"] == "AccessDenied"
    )


def test_a_session_policy_limits_a_session(cloud: Cloud) -> None:
    arn = role(cloud, "wide", allow("*", "*"))
    narrow = document(allow("sqs:*", "*"))
    session = acting(cloud, arn, Policy=narrow)
    assert client(cloud, session, "sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    error = denial(client(cloud, session, "ecs").list_clusters)
    assert error["Message"].endswith("because no session policy allows the ecs:ListClusters action")


def test_passing_a_role_needs_its_own_permission(cloud: Cloud) -> None:
    passed = role(cloud, "passed", trust={"Service": "ecs-tasks.amazonaws.com"})
    definition = {
        "family": "f",
        "taskRoleArn": passed,
        "containerDefinitions": [{"name": "c", "image": "i", "memory": 64}],
    }
    registers = allow("ecs:RegisterTaskDefinition", "*")
    to = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    wrongly = allow("iam:PassRole", passed, Condition=to)
    session = acting(cloud, role(cloud, "passer", registers, wrongly))
    error = denial(client(cloud, session, "ecs").register_task_definition, **definition)
    assert "is not authorized to perform: iam:PassRole on resource: " + passed in error["Message"]
    to["StringEquals"]["iam:PassedToService"] = "ecs-tasks.amazonaws.com"
    cloud.client("iam").put_role_policy(
        RoleName="passer", PolicyName="own", PolicyDocument=document(registers, wrongly)
    )
    assert client(cloud, session, "ecs").register_task_definition(**definition)


def test_unknown_credentials_are_rejected(cloud: Cloud) -> None:
    session = boto3.session.Session("ASIA" + "A" * 16, "x", "y", region_name="us-east-1")
    assert denial(client(cloud, session, "ecs").list_clusters)["Code"] == "UnrecognizedClientException"
    real = acting(cloud, role(cloud, "owner-of-a-token", allow("ecs:ListClusters", "*")))
    keys = real.get_credentials()
    assert keys is not None
    stolen = boto3.session.Session(keys.access_key, keys.secret_key, "another", region_name="us-east-1")
    assert denial(client(cloud, stolen, "ecs").list_clusters)["Code"] == "UnrecognizedClientException"
    assert client(cloud, real, "ecs").list_clusters()["clusterArns"] == []


def test_an_unsigned_call_is_rejected(cloud: Cloud) -> None:
    request = urllib.request.Request(  # noqa: S310 - loopback
        cloud.server.endpoint,
        b"{}",
        {"X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters"},
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)  # noqa: S310 - loopback
    assert b"MissingAuthenticationToken" in caught.value.read()


def test_the_report_lists_used_statements_and_denials(cloud: Cloud) -> None:
    arn = role(
        cloud,
        "reported",
        allow(["ecs:ListClusters", "ecs:ListServices"], "*", Sid="Looks"),
        allow("sqs:*", "*"),
    )
    ecs = client(cloud, acting(cloud, arn), "ecs")
    ecs.list_clusters()
    denial(ecs.list_task_definitions)
    found = report(cloud)
    of_role = {one["sid"]: one for one in found["statements"] if one["policy"] == "role reported: own"}
    assert of_role["Looks"]["used"] == {"ecs:ListClusters": 1}
    assert of_role["Looks"]["needed"]
    assert (of_role["#1"]["used"], of_role["#1"]["needed"]) == ({}, False)
    denials = [one for one in found["refusals"] if "reported" in one["principal"]]
    assert [one["action"] for one in denials] == ["ecs:ListTaskDefinitions"]


def test_a_redundant_statement_is_not_needed(cloud: Cloud) -> None:
    arn = role(cloud, "twice", allow("ecs:ListClusters", "*", Sid="One"), allow("ecs:List*", "*", Sid="Two"))
    client(cloud, acting(cloud, arn), "ecs").list_clusters()
    found = [one for one in report(cloud)["statements"] if one["policy"] == "role twice: own"]
    statements = {one["sid"]: one for one in found}
    assert [statements[sid]["used"] for sid in ("One", "Two")] == [{"ecs:ListClusters": 1}] * 2
    assert not any(statements[sid]["needed"] for sid in ("One", "Two"))
