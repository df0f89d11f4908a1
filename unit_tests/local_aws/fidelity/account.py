"""The account that the wrong calls are made in: clients without validation, and what services refer to."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from local_aws.daemon import ServerHandle
from unit_tests.local_aws.fidelity.calls import KEYLESS, ROOT, STRANGER, UNKNOWN, WrongCall, resolve

CONTAINERS = [{"name": "web", "image": "web:1", "portMappings": [{"containerPort": 80}]}]
TASK = {
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "containerDefinitions": CONTAINERS,
}
SERVICES = ("codedeploy", "codebuild", "codepipeline", "lambda", "ecs-tasks")


class Account:
    """The account of one server."""

    def __init__(self, server: ServerHandle) -> None:
        self.server = server
        self.clients: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str) -> Any:
        """Return a client that sends calls as they are."""
        return self._client(service, "123456789012", self.server.secret)

    def _client(self, service: str, key: str, secret: str, signature: str = "") -> Any:
        if (service, key, signature) not in self.clients:
            self.clients[service, key, signature] = boto3.client(
                service,
                endpoint_url=self.server.endpoint,
                region_name="us-east-1",
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                config=Config(
                    parameter_validation=False,
                    signature_version=signature or None,
                    retries={"total_max_attempts": 1},
                    s3={"addressing_style": "path"},
                ),
            )
        return self.clients[service, key, signature]

    @contextmanager
    def _without_quota(self, service: str, operation: str) -> Iterator[None]:
        """Let the server allow none of what an operation creates."""
        self.server.change_quota(service, operation, 0)
        try:
            yield
        finally:
            self.server.change_quota(service, operation)

    def of_another(self, service: str) -> Any:
        """Return a client of another account."""
        return self._client(service, "210987654321", self.server.secret)

    def outcome(self, service: str, call: WrongCall, values: Mapping[str, Any]) -> str:
        """Return the code that a call gets, or `accepted`."""
        client = self._client(service, *self.callers[call.caller], call.signature)
        methods = {operation: method for method, operation in client.meta.method_to_api_mapping.items()}
        try:
            with self._without_quota(service, call.operation) if call.over_quota else nullcontext():
                getattr(client, methods[call.operation])(**resolve(call.params, values))
        except ClientError as error:
            answer = error.response["Error"]
            # Services that had the query protocol answer with its code, too: the model has the other.
            return str(answer.get("QueryErrorCode", answer["Code"]))
        return "accepted"

    def git(self, repository_id: str, *arguments: str, stdin: bytes = b"") -> None:
        """Run git in a repository of CodeCommit, for what a push may bring and no API call does."""
        folder = next(self.server.state.rglob(f"{repository_id}.git"))
        command = ["git", f"--git-dir={folder}", *arguments]
        subprocess.run(command, input=stdin, check=True)  # noqa: S603 - our own words

    @cached_property
    def callers(self) -> Mapping[str, tuple[str, str]]:
        """The access keys of those who make calls."""
        allowed = {"Effect": "Allow", "NotAction": "kms:*", "Resource": "*"}
        return {
            ROOT: ("123456789012", self.server.secret),
            STRANGER: self._create_user(STRANGER),
            KEYLESS: self._create_user(KEYLESS, allowed),
            UNKNOWN: ("AKIA0000000000000000", self.server.secret),
        }

    def _create_user(self, name: str, *statements: Mapping[str, Any]) -> tuple[str, str]:
        """Create a user with these permissions, and return its access key."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=policy(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return str(key["AccessKeyId"]), str(key["SecretAccessKey"])

    @cached_property
    def role(self) -> str:
        """The ARN of a role that all services may assume, with all permissions."""
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": [f"{service}.amazonaws.com" for service in SERVICES]},
            "Action": "sts:AssumeRole",
        }
        allowed = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        iam = self.client("iam")
        made = iam.create_role(RoleName="all", AssumeRolePolicyDocument=policy(statement))
        iam.put_role_policy(RoleName="all", PolicyName="all", PolicyDocument=policy(allowed))
        return str(made["Role"]["Arn"])

    @cached_property
    def subnets(self) -> list[str]:
        """Two subnets of one network, in two zones."""
        ec2 = self.client("ec2")
        network = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=network)
        return [
            ec2.create_subnet(
                VpcId=network, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=f"us-east-1{zone}"
            )["Subnet"]["SubnetId"]
            for number, zone in enumerate("ab")
        ]

    @cached_property
    def network(self) -> str:
        """The id of the subnets' network."""
        found = self.client("ec2").describe_subnets(SubnetIds=self.subnets)["Subnets"]
        return str(found[0]["VpcId"])

    @cached_property
    def security_group(self) -> str:
        """The id of the network's default security group."""
        query = [{"Name": "vpc-id", "Values": [self.network]}, {"Name": "group-name", "Values": ["default"]}]
        groups = self.client("ec2").describe_security_groups(Filters=query)["SecurityGroups"]
        return str(groups[0]["GroupId"])

    @cached_property
    def balancing(self) -> Mapping[str, str]:
        """The ARNs of a load balancer, two target groups (`blue`, `green`) and a listener."""
        elbv2 = self.client("elbv2")
        balancer = elbv2.create_load_balancer(Name="front", Subnets=self.subnets)["LoadBalancers"][0]
        groups = {
            name: elbv2.create_target_group(
                Name=name, Protocol="HTTP", Port=80, VpcId=self.network, TargetType="ip"
            )["TargetGroups"][0]["TargetGroupArn"]
            for name in ("blue", "green")
        }
        listener = elbv2.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": groups["blue"]}],
        )["Listeners"][0]
        return {
            "balancer": balancer["LoadBalancerArn"],
            "listener": listener["ListenerArn"],
            **groups,
        }

    @cached_property
    def network_configuration(self) -> Mapping[str, Any]:
        """The awsvpcConfiguration of services and tasks."""
        return {"awsvpcConfiguration": {"subnets": self.subnets}}

    @cached_property
    def blue_green_service(self) -> str:
        """The name of a service of CodeDeploy's, in the cluster `cluster`, without tasks."""
        ecs = self.client("ecs")
        ecs.create_cluster(clusterName="cluster")
        ecs.register_task_definition(family="web", **TASK)
        self.create_blue_green_service("blue-green")
        return "blue-green"

    def create_blue_green_service(self, name: str) -> None:
        """Create a service of CodeDeploy's, in the cluster `cluster`, without tasks."""
        self.client("ecs").create_service(
            cluster="cluster",
            serviceName=name,
            taskDefinition="web",
            desiredCount=0,
            launchType="FARGATE",
            deploymentController={"type": "CODE_DEPLOY"},
            networkConfiguration=self.network_configuration,
            loadBalancers=[
                {"targetGroupArn": self.balancing["blue"], "containerName": "web", "containerPort": 80}
            ],
        )


def policy(*statements: Mapping[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
