"""An account that is ready for a deployment, and the findings about it."""

import json
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from operations import preflight
from operations.preflight.check import Check, Subject, Verdict
from unit_tests.operations.account_fakes import FakeAccount, refusing

ACCOUNT = "123456789012"


PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


NO_STACK = {"Error": {"Code": "ValidationError", "Message": "Stack with id stack-dev does not exist"}}


SETTINGS = {
    "natGateways": 1,
    "desiredCount": 2,
    "taskCpu": 256,
    "notificationEmail": "team@acme.io",
    "allowHttp": True,
}


def written(folder: Path, services: dict[str, Any] | None = None, **environments: dict[str, Any]) -> Path:
    """Write a cdk.json; what an environment does not say is as in `SETTINGS`."""
    settings = {name: SETTINGS | values for name, values in {"dev": {}, **environments}.items()}
    path = folder / "cdk.json"
    path.write_text(json.dumps({"context": {"environments": settings, "services": services or {}}}))
    return path


class Session:
    """A session in us-east-1."""

    region_name = "us-east-1"


def no_stack(StackName: str = "") -> dict[str, Any]:  # noqa: N803 - AWS's name
    if StackName:
        raise ClientError(NO_STACK, "DescribeStacks")
    return {"Stacks": []}


def quota(value: float) -> dict[str, Any]:
    return {"Quota": {"Value": value}}


def ready() -> dict[tuple[str, str], Any]:
    """Answers of an account in which nothing is missing and nothing is deployed."""
    return {
        ("sts", "get_caller_identity"): {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/me"},
        ("ssm", "get_parameter"): {"Parameter": {"Value": "30"}},
        ("ssm", "get_parameters"): {"Parameters": []},
        ("ssm", "describe_parameters"): {"Parameters": []},
        ("codebuild", "batch_get_projects"): {"projects": []},
        ("s3", "head_bucket"): lambda Bucket: {} if Bucket.startswith("cdk-") else refusing("404")(),  # noqa: N803
        ("iam", "get_role"): {},
        ("iam", "list_roles"): {"Roles": [{"RoleName": "AWSServiceRoleForECS"}]},
        ("iam", "create_service_linked_role"): {},
        ("iam", "list_open_id_connect_providers"): {"OpenIDConnectProviderList": [{"Arn": PROVIDER}]},
        ("iam", "get_open_id_connect_provider"): {"ClientIDList": ["sts.amazonaws.com"]},
        ("codecommit", "list_repositories"): {"repositories": []},
        ("sns", "list_subscriptions_by_topic"): {"Subscriptions": []},
        ("cloudformation", "describe_stacks"): no_stack,
        ("service-quotas", "get_service_quota"): quota(5.0),
        ("ec2", "describe_availability_zones"): {
            "AvailabilityZones": [{"ZoneName": name} for name in ("us-east-1b", "us-east-1a", "us-east-1c")]
        },
        ("ec2", "describe_vpcs"): {"Vpcs": [{}]},
        ("ec2", "describe_subnets"): {
            "Subnets": [
                {"SubnetId": "subnet-a", "AvailabilityZone": "us-east-1a"},
                {"SubnetId": "subnet-c", "AvailabilityZone": "us-east-1c"},
            ]
        },
        ("ec2", "describe_internet_gateways"): {"InternetGateways": []},
        ("ec2", "describe_addresses"): {"Addresses": []},
        ("ec2", "describe_nat_gateways"): {"NatGateways": []},
        ("cloudwatch", "get_metric_statistics"): {"Datapoints": []},
        ("events", "list_rules"): {"Rules": [{}] * 4},
        ("iam", "get_account_summary"): {"SummaryMap": {"Roles": 20}},
        ("elbv2", "describe_load_balancers"): {"LoadBalancers": [{"Type": "network"}] * 9},
    }


def account_with(answers: dict[tuple[str, str], Any]) -> FakeAccount:
    account = FakeAccount({**ready(), **answers})
    account.session = Session()
    return account


def findings(answers: dict[tuple[str, str], Any] | None = None, **asked: Any) -> dict[str, Check]:
    """Return the checks by name."""
    found = preflight.inspect(Subject("dev", account_with(answers or {}), **asked))
    assert len({check.name for check in found.checks}) == len(found.checks)
    return {check.name: check for check in found.checks}


def errors(answers: dict[tuple[str, str], Any] | None = None, **asked: Any) -> dict[str, Check]:
    """Return the checks that a deployment would fail on."""
    return {name: one for name, one in findings(answers, **asked).items() if one.verdict is Verdict.ERROR}
