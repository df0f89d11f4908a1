"""Parsers accept any text or reject it with their own error: no other exception."""

import contextlib
import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from local_aws.containers.images.config import ImageConfig
from local_aws.containers.images.dockerfile import SUPPORTED, DockerfileError, UnsupportedError
from local_aws.containers.images.dockerfile_plan import make_plan
from local_aws.core.api import AwsError
from local_aws.iam import documents, request_parser
from local_aws.services.codebuild import buildspec
from local_aws.services.codebuild.errors import BuildspecError
from local_aws.services.codecommit.git_http import REQUEST
from local_aws.services.codecommit.validation import check_branch_name, check_file_path, check_repository_name
from local_aws.services.codedeploy import appspec
from unit_tests.safety.hostile import EXAMPLES, WORDS, texts, trees

BUILDSPEC_KEYS = [
    "version",
    "env",
    "variables",
    "parameter-store",
    "exported-variables",
    "shell",
    "phases",
    "install",
    "build",
    "commands",
    "finally",
    "on-failure",
    "runtime-versions",
    "artifacts",
    "files",
    "name",
    "discard-paths",
    "base-directory",
    "reports",
    "cache",
    "paths",
]
APPSPEC_KEYS = [
    "version",
    "Resources",
    "Hooks",
    "Type",
    "Properties",
    "TaskDefinition",
    "LoadBalancerInfo",
    "ContainerName",
    "ContainerPort",
    "NetworkConfiguration",
    "AwsvpcConfiguration",
    "Subnets",
    "CapacityProviderStrategy",
    "BeforeInstall",
    "PlatformVersion",
]
STATEMENT_KEYS = [
    "Version",
    "Statement",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "Principal",
    "Condition",
    "Sid",
    "AWS",
]


def documents_of(keys: list[str], *values: str) -> st.SearchStrategy[str]:
    """Return texts: free ones, trees of known keys as JSON or YAML, and JSON with a piece cut out."""
    names = st.one_of(*[st.sampled_from(keys)] * 4, texts)
    leaves = st.one_of(st.sampled_from(values), trees)
    tree = st.recursive(
        leaves,
        lambda inner: st.one_of(st.dictionaries(names, inner, max_size=4), st.lists(inner, max_size=2)),
        max_leaves=12,
    )
    top = st.dictionaries(names, tree, min_size=1, max_size=5)
    cut = st.tuples(top.map(json.dumps), st.integers(0, 200), texts)
    spoilt = cut.map(lambda part: part[0][: part[1]] + part[2] + part[0][part[1] + 1 :])
    return st.one_of(texts, top.map(json.dumps), top.map(yaml.safe_dump), spoilt)


@EXAMPLES
@given(documents_of(BUILDSPEC_KEYS, "0.2", "sh", "yes", "ABORT"))
def test_a_buildspec_is_parsed_or_rejected(text: str) -> None:
    with contextlib.suppress(BuildspecError):
        assert buildspec.parse(text).phases


SERVICE = {
    "Type": "AWS::ECS::Service",
    "Properties": {
        "TaskDefinition": "arn:aws:ecs:us-east-1:1:task-definition/a:1",
        "LoadBalancerInfo": {"ContainerName": "c", "ContainerPort": 80},
    },
}


def read_appspec(text: str) -> None:
    try:
        assert appspec.parse(text).container_name
    except ValueError as error:
        assert isinstance(error, appspec.AppSpecError), repr(error)  # noqa: PT017 - it is a ValueError itself


@EXAMPLES
@given(documents_of(APPSPEC_KEYS, "0.0", "AWS::ECS::Service", "arn:aws:ecs:::task-definition/a:1"))
def test_an_appspec_is_parsed_or_rejected(text: str) -> None:
    read_appspec(text)


@EXAMPLES
@given(st.sampled_from([*SERVICE["Properties"], "NetworkConfiguration", "Hooks", "ContainerPort"]), trees)
def test_an_appspec_with_one_wrong_value_is_parsed_or_rejected(key: str, value: object) -> None:
    service = json.loads(json.dumps(SERVICE))
    place = service["Properties"]
    (place["LoadBalancerInfo"] if key == "ContainerPort" else place)[key] = value
    spec = {"version": 0.0, "Resources": [{"TargetService": service}]}
    read_appspec(json.dumps(spec | ({"Hooks": value} if key == "Hooks" else {})))


_ARGUMENTS = st.one_of(
    texts,
    st.sampled_from(
        ["python:3.11", "$X", "--platform=x", '["a"]', "[]", "A=1", "A=$X 'b", "--x NONE",
         "--retries=x NONE", "--interval=1 CMD x", "a b", "--chown=1:1 a b", "pip install x", '""', "a\\"]
    ),
)  # fmt: skip
_LINE = st.tuples(st.sampled_from([*sorted(SUPPORTED), "ADD", "#"]), _ARGUMENTS).map(" ".join)


@EXAMPLES
@given(st.one_of(texts, st.lists(_LINE, max_size=4).map(lambda all_: "\n".join(["FROM python:3.11", *all_])),
                 st.lists(_LINE, max_size=4).map("\n".join)))  # fmt: skip
def test_a_dockerfile_is_planned_or_rejected(text: str) -> None:
    with contextlib.suppress(DockerfileError, UnsupportedError):
        assert make_plan(text, {}, ImageConfig()).python


@EXAMPLES
@given(
    st.lists(texts, max_size=5).map("/".join), st.sampled_from(["info/refs", "git-upload-pack", "HEAD", ".."])
)
def test_a_git_request_names_one_repository_and_one_of_three_services(path: str, what: str) -> None:
    match = REQUEST.fullmatch(f"/v1/repos/{path}/{what}")
    if match is not None:
        assert "/" not in match["name"]
        assert match["endpoint"] in ("info/refs", "git-upload-pack", "git-receive-pack")


@EXAMPLES
@given(texts)
def test_a_repository_name_that_codecommit_accepts_stays_in_its_folder(name: str) -> None:
    with contextlib.suppress(AwsError):
        assert re.fullmatch(r"[\w.-]+", check_repository_name(name), re.ASCII)
        assert name not in (".", "..")
    with contextlib.suppress(AwsError):
        assert not check_branch_name(name).startswith(("-", "/", "."))
        assert ".." not in name
    with contextlib.suppress(AwsError):
        assert not {"", ".", "..", ".git"} & {*check_file_path(name).lower().split("/")}


@EXAMPLES
@given(documents_of(STATEMENT_KEYS, "Allow", "Deny", "*", "2012-10-17"))
def test_a_policy_is_parsed_or_rejected(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(documents.parse(text).statements, tuple)


@EXAMPLES
@given(
    st.sampled_from(["ecs", "s3", "iam", "sqs", "lambda", "logs", "monitoring", "nothing", ""]),
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "x"]),
    texts,
    st.dictionaries(st.one_of(texts, st.sampled_from(["Action", "a.member.1", "a.member", "a.²"])),
                    st.lists(texts, min_size=1, max_size=2), max_size=3),
    st.dictionaries(st.sampled_from(["authorization", "x-amz-target", "content-type"]), texts, max_size=3),
    st.one_of(st.binary(max_size=20), trees.map(lambda tree: json.dumps(tree).encode())),
)  # fmt: skip
def test_a_request_is_parsed_for_iam_or_rejected(
    service: str, method: str, path: str, query: dict[str, list[str]], headers: dict[str, str], body: bytes
) -> None:
    request = request_parser.HttpRequest(method, f"/{path}", query, headers, body)
    request_parser.credential(request)
    with contextlib.suppress(request_parser.WrongScopeError):
        assert request_parser.parse_call(request, service).operation is not None


@pytest.mark.parametrize("word", WORDS)
def test_no_hostile_name_is_a_repository_outside_the_folder(word: str) -> None:
    match = REQUEST.fullmatch(f"/v1/repos/{word}/info/refs")
    assert match is None or "/" not in match["name"]
