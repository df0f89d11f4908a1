"""The permissions of a request: its action, its resources, and what AWS authorizes with it.

The expectations are AWS's: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from local_aws.iam.request_parser import HttpRequest, WrongScopeError, credential, parse_call
from local_aws.iam.required_permissions import Permission, required_permissions
from local_aws.iam.resources import ArnScope

ACCOUNT, REGION = "111111111111", "us-east-1"
KEY, OWNED = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1", f"{REGION}:{ACCOUNT}"
TARGETS = {
    "codecommit": "CodeCommit_20150413",
    "codebuild": "CodeBuild_20161006",
    "codedeploy": "CodeDeploy_20141006",
    "codepipeline": "CodePipeline_20150709",
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "ecr": "AmazonEC2ContainerRegistry_V20150921",
    "ecr-public": "SpencerFrontendService",
    "logs": "Logs_20140328",
    "kms": "TrentService",
    "ssm": "AmazonSSM",
    "events": "AWSEvents",
}


class Lookups:
    """An account with one encrypted bucket, object, topic, queue and parameter, and one task definition."""

    def key_arn(self, key: str) -> str:
        return key

    def is_managed_key(self, arn: str) -> bool:
        return arn.endswith("managed")

    def bucket_key(self, bucket: str) -> str:
        return {"secret": KEY, "aws": "managed"}.get(bucket, "")

    def object_key(self, bucket: str, key: str) -> str:
        return self.bucket_key(bucket)

    def topic_key(self, arn: str) -> str:
        return KEY if arn.endswith("secret") else ""

    def queue_key(self, url: str) -> str:
        return KEY if url.endswith("secret") else ""

    def parameter_key(self, name: str) -> str:
        return {"/own": KEY, "/aws": "alias/aws/ssm"}.get(name, "")

    def task_roles(self, task_definition: str) -> list[str]:
        return ["arn:aws:iam::111111111111:role/task"]

    def deployment_config(self, application: str, group: str) -> str:
        return "Canary"


def arn_scope() -> ArnScope:
    return ArnScope("aws", REGION, ACCOUNT, {"deployment": lambda _: "app/group", "key": lambda key: key})


def http(method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> HttpRequest:
    given = {
        name: [""] if not value else [value]
        for name, _, value in (p.partition("=") for p in query.split("&") if p)
    }
    return HttpRequest(method, path, given, {n.replace("_", "-"): v for n, v in headers.items()}, body)


def of(service: str, request: HttpRequest) -> list[Permission]:
    return list(required_permissions(parse_call(request, service), request, arn_scope(), Lookups()))


def json_call(service: str, operation: str, /, **params: Any) -> list[Permission]:
    body = json.dumps(params).encode()
    return of(service, http("POST", "/", body=body, x_amz_target=f"{TARGETS[service]}.{operation}"))


def query_call(service: str, action: str, **params: str) -> list[Permission]:
    body = urlencode({"Action": action, **{name.replace("__", "."): value for name, value in params.items()}})
    kind = "application/x-www-form-urlencoded"
    return of(service, http("POST", "/", body=body.encode(), content_type=kind))


def pairs(found: list[Permission]) -> list[tuple[str, str]]:
    return [(one.action, one.resource) for one in found]


@pytest.mark.parametrize(
    ("service", "operation", "params", "resource"),
    [
        ("codecommit", "GetBranch", {"repositoryName": "r"}, f"arn:aws:codecommit:{OWNED}:r"),
        ("codebuild", "StartBuild", {"projectName": "p"}, f"arn:aws:codebuild:{OWNED}:project/p"),
        ("codebuild", "BatchGetBuilds", {"ids": ["p:1", "p:2"]}, f"arn:aws:codebuild:{OWNED}:project/p"),
        ("codepipeline", "StartPipelineExecution", {"name": "p"}, f"arn:aws:codepipeline:{OWNED}:p"),
        (
            "codepipeline",
            "PutApprovalResult",
            {"pipelineName": "p", "stageName": "s", "actionName": "a"},
            f"arn:aws:codepipeline:{OWNED}:p/s/a",
        ),
        (
            "codedeploy",
            "GetDeployment",
            {"deploymentId": "d-1"},
            f"arn:aws:codedeploy:{OWNED}:deploymentgroup:app/group",
        ),
        (
            "codedeploy",
            "GetApplication",
            {"applicationName": "a"},
            f"arn:aws:codedeploy:{OWNED}:application:a",
        ),
        ("ecs", "DescribeServices", {"cluster": "c", "services": ["s"]}, f"arn:aws:ecs:{OWNED}:service/c/s"),
        (
            "ecs",
            "DescribeServices",
            {"cluster": f"arn:aws:ecs:{OWNED}:cluster/c", "services": [f"arn:aws:ecs:{OWNED}:service/c/s"]},
            f"arn:aws:ecs:{OWNED}:service/c/s",
        ),
        (
            "ecs",
            "DeleteTaskSet",
            {"cluster": "c", "service": "s", "taskSet": "ecs-svc/1"},
            f"arn:aws:ecs:{OWNED}:task-set/c/s/1",
        ),
        ("ecs", "RegisterTaskDefinition", {"family": "f"}, f"arn:aws:ecs:{OWNED}:task-definition/f:*"),
        ("ecr", "GetAuthorizationToken", {}, "*"),
        ("ecr", "BatchGetImage", {"repositoryName": "r"}, f"arn:aws:ecr:{OWNED}:repository/r"),
        (
            "logs",
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s"},
            f"arn:aws:logs:{OWNED}:log-group:/g:log-stream:s",
        ),
        ("logs", "CreateLogGroup", {"logGroupName": "/g"}, f"arn:aws:logs:{OWNED}:log-group:/g:log-stream:"),
        ("ssm", "GetParameter", {"Name": "/a/b"}, f"arn:aws:ssm:{OWNED}:parameter/a/b"),
        ("ssm", "GetParameter", {"Name": "plain:3"}, f"arn:aws:ssm:{OWNED}:parameter/plain"),
        ("events", "PutRule", {"Name": "r"}, f"arn:aws:events:{OWNED}:rule/r"),
        # Not of this table: only a statement about everything allows them.
        ("ecs", "ListTaskDefinitions", {"familyPrefix": "f"}, "*"),
        ("ssm", "ListTagsForResource", {"ResourceId": "/a/b"}, f"arn:aws:ssm:{OWNED}:parameter/a/b"),
        ("ssm", "SendCommand", {"DocumentName": "d"}, "*"),
    ],
)
def test_an_operation_has_a_resource(
    service: str, operation: str, params: dict[str, Any], resource: str
) -> None:
    assert pairs(json_call(service, operation, **params)) == [(f"{service}:{operation}", resource)]


def test_each_named_resource_needs_a_permission() -> None:
    found = json_call("ssm", "GetParameters", Names=["/a", "/b"])
    assert [one.resource.rpartition("/")[2] for one in found] == ["a", "b"]


def test_the_query_protocol_is_parsed_with_its_lists() -> None:
    listener = f"arn:aws:elasticloadbalancing:{OWNED}:listener/app/lb/1/2"
    action = "elasticloadbalancing:ModifyListener"
    found = query_call("elasticloadbalancing", "ModifyListener", ListenerArn=listener)
    assert pairs(found) == [(action, listener)]
    found = query_call("elasticloadbalancing", "DescribeRules", ListenerArn=listener)
    assert pairs(found) == [("elasticloadbalancing:DescribeRules", "*")]
    found = query_call("sts", "AssumeRole", RoleArn="arn:aws:iam::1:role/r", ExternalId="x")
    assert (found[0].resource, found[0].values["sts:externalid"]) == ("arn:aws:iam::1:role/r", "x")
    tags = {"Tags__member__1__Key": "team", "Tags__member__1__Value": "a", "Name": "t"}
    found = query_call("sns", "CreateTopic", **tags)
    assert found[0].values == {"aws:requesttag/team": "a", "aws:tagkeys": ("team",)}


def test_cloudwatch_s_rpc_protocol_has_the_operation_in_the_path() -> None:
    path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms"
    found = of("monitoring", http("POST", path, content_type="application/cbor"))
    assert pairs(found) == [("cloudwatch:DescribeAlarms", f"arn:aws:cloudwatch:{OWNED}:alarm:*")]


def test_a_function_is_invoked_by_its_own_action() -> None:
    found = of("lambda", http("POST", "/2015-03-31/functions/f/invocations"))
    assert pairs(found) == [("lambda:InvokeFunction", f"arn:aws:lambda:{OWNED}:function:f")]


def test_an_aws_managed_key_needs_no_permission() -> None:
    assert len(of("s3", http("GET", "/aws/k"))) == 1
    assert len(json_call("ssm", "GetParameter", Name="/aws", WithDecryption=True)) == 1


def test_a_secret_parameter_and_an_encrypted_topic_need_their_key() -> None:
    found = json_call("ssm", "GetParameter", Name="/own", WithDecryption=True)
    assert pairs(found)[1:] == [("kms:Decrypt", KEY)]
    assert len(json_call("ssm", "GetParameter", Name="/own")) == 1
    topic = f"arn:aws:sns:{OWNED}:secret"
    found = query_call("sns", "Publish", TopicArn=topic, Message="m")
    assert [one.action for one in found] == ["sns:Publish", "kms:GenerateDataKey", "kms:Decrypt"]


def test_the_sign_in_to_public_ecr_needs_a_bearer_token_too() -> None:
    assert pairs(json_call("ecr-public", "GetAuthorizationToken")) == [
        ("ecr-public:GetAuthorizationToken", "*"),
        ("sts:GetServiceBearerToken", "*"),
    ]


def test_passing_a_role_needs_a_permission_for_that_service() -> None:
    roles = {"taskRoleArn": "arn:aws:iam::1:role/t", "executionRoleArn": "arn:aws:iam::1:role/e"}
    found = json_call("ecs", "RegisterTaskDefinition", family="f", **roles)
    assert pairs(found)[1:] == [("iam:PassRole", role) for role in roles.values()]
    assert {one.values["iam:passedtoservice"] for one in found[1:]} == {"ecs-tasks.amazonaws.com"}
    started = json_call("ecs", "CreateTaskSet", cluster="c", service="s", taskDefinition="f:1")
    assert pairs(started)[1:] == [("iam:PassRole", "arn:aws:iam::111111111111:role/task")]


@pytest.mark.parametrize("cluster", ["c", f"arn:aws:ecs:{OWNED}:cluster/c"])
def test_tasks_are_listed_on_every_resource_of_a_cluster(cluster: str) -> None:
    """Without a container instance: https://github.com/cdklabs/construct-hub/pull/1207."""
    (found,) = json_call("ecs", "ListTasks", cluster=cluster, startedBy="ecs-svc/1")
    assert (found.action, found.resource) == ("ecs:ListTasks", "*")
    assert found.values == {"ecs:cluster": f"arn:aws:ecs:{OWNED}:cluster/c"}


def test_tags_at_creation_need_their_own_action() -> None:
    found = json_call("ecs", "RegisterTaskDefinition", family="f", tags=[{"key": "a", "value": "b"}])
    assert found[1].action == "ecs:TagResource"
    assert found[1].values["ecs:createaction"] == "RegisterTaskDefinition"


def test_a_deployment_registers_its_revision_and_reads_its_configuration() -> None:
    revision = {"revisionType": "AppSpecContent"}
    found = json_call(
        "codedeploy", "CreateDeployment", applicationName="a", deploymentGroupName="g", revision=revision
    )
    assert pairs(found) == [
        ("codedeploy:CreateDeployment", f"arn:aws:codedeploy:{OWNED}:deploymentgroup:a/g"),
        ("codedeploy:GetDeploymentConfig", f"arn:aws:codedeploy:{OWNED}:deploymentconfig:Canary"),
        ("codedeploy:RegisterApplicationRevision", f"arn:aws:codedeploy:{OWNED}:application:a"),
    ]


def test_a_request_signed_for_another_service_is_rejected() -> None:
    with pytest.raises(WrongScopeError):
        parse_call(http("POST", "/", x_amz_target="AmazonSSM.GetParameter"), "ecs")


def test_a_call_to_a_service_without_a_model_needs_all_resources() -> None:
    assert pairs(of("nothing", http("POST", "/x"))) == [("nothing:UnknownPost", "*")]


def test_a_signature_is_found_in_the_header_and_in_the_query() -> None:
    scope = "AKID/20260101/us-east-1/s3/aws4_request"
    signed = http("GET", "/", authorization=f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host")
    presigned = http("GET", "/", f"X-Amz-Credential={scope}")
    for request in (signed, presigned):
        found = credential(request)
        assert found is not None
        assert (found.access_key, found.service) == ("AKID", "s3")
    assert credential(http("GET", "/")) is None
