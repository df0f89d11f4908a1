"""Fakes of the services that ECS calls."""

from typing import Any

from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::123456789012:role/execution"
BLUE, GREEN, ALONE = "arn:blue", "arn:green", "arn:alone"


class FakeElb:
    """ELBv2: the registered targets and the health that it reports."""

    def __init__(self, journal: list[str]) -> None:
        self.journal = journal
        self.targets: dict[str, set[str]] = {BLUE: set(), GREEN: set(), ALONE: set()}
        self.state: dict[str, str] = {}
        self.draining: set[str] = set()

    def describe_target_groups(self, TargetGroupArns: list[str]) -> dict[str, Any]:  # noqa: N803
        if TargetGroupArns[0] not in self.targets:
            raise refusal("TargetGroupNotFound")
        balancers = [] if TargetGroupArns == [ALONE] else ["arn:balancer"]
        return {"TargetGroups": [{"LoadBalancerArns": balancers}]}

    def describe_target_group_attributes(self, TargetGroupArn: str) -> dict[str, Any]:  # noqa: N803
        return {"Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]}

    def register_targets(self, TargetGroupArn: str, Targets: list[Any]) -> None:  # noqa: N803
        self.targets[TargetGroupArn].add(Targets[0]["Id"])

    def deregister_targets(self, TargetGroupArn: str, Targets: list[Any]) -> None:  # noqa: N803
        self.journal.append("deregister")
        self.targets[TargetGroupArn].discard(Targets[0]["Id"])

    def describe_target_health(self, TargetGroupArn: str, Targets: list[Any]) -> dict[str, Any]:  # noqa: N803
        address = Targets[0]["Id"]
        state = self.state.get(address, "healthy")
        if address not in self.targets[TargetGroupArn]:
            state = "draining" if address in self.draining else "unused"
        return {"TargetHealthDescriptions": [{"TargetHealth": {"State": state}}]}


class FakeLogs:
    def __init__(self) -> None:
        self.groups = {"/ecs/task-dev"}
        self.lines: dict[str, list[str]] = {}

    def create_log_stream(self, logGroupName: str, logStreamName: str) -> None:  # noqa: N803
        if logGroupName not in self.groups:
            raise refusal("ResourceNotFoundException", "The specified log group does not exist.")
        self.lines[logStreamName] = []

    def put_log_events(self, logGroupName: str, logStreamName: str, logEvents: list[Any]) -> None:  # noqa: N803
        self.lines[logStreamName] += [event["message"] for event in logEvents]


class FakeEcr:
    """ECR with one image, whatever its tag."""

    digest = f"sha256:{'d' * 64}"

    def get_authorization_token(self) -> dict[str, Any]:
        return {"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA=="}]}

    def batch_get_image(self, **_: Any) -> dict[str, Any]:
        return {"images": [{"imageId": {"imageDigest": self.digest}}]}


class FakeSsm:
    """The Parameter Store; `denied` refuses every call."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.denied = False
        self.asked: list[list[str]] = []

    def get_parameters(self, Names: list[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803
        assert WithDecryption
        if self.denied:
            raise refusal("AccessDeniedException", f"User: {ROLE} is not authorized")
        self.asked.append(Names)
        found = [{"Name": name, "Value": self.values[name]} for name in Names if name in self.values]
        return {"Parameters": found, "InvalidParameters": [name for name in Names if name not in self.values]}


class FakeCloudWatch:
    """CloudWatch, which nothing here reads."""

    def put_metric_data(self, **_: Any) -> None:
        pass


class FakeEc2:
    """EC2: the VPC of each subnet and security group."""

    def __init__(self) -> None:
        self.subnets = {"subnet-1": "vpc-1", "subnet-2": "vpc-1"}
        self.groups = {"sg-1": "vpc-1", "sg-other": "vpc-2"}

    def describe_subnets(self, SubnetIds: list[str]) -> dict[str, Any]:  # noqa: N803
        for each in SubnetIds:
            if each not in self.subnets:
                raise refusal("InvalidSubnetID.NotFound", f"The subnet ID '{each}' does not exist")
        return {"Subnets": [{"SubnetId": each, "VpcId": self.subnets[each]} for each in SubnetIds]}

    def describe_security_groups(self, GroupIds: list[str]) -> dict[str, Any]:  # noqa: N803
        for each in GroupIds:
            if each not in self.groups:
                raise refusal("InvalidGroup.NotFound", f"The security group '{each}' does not exist")
        return {"SecurityGroups": [{"GroupId": each, "VpcId": self.groups[each]} for each in GroupIds]}


def refusal(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")
