"""The throughput of local_aws's load balancer, compared with the same requests to its target."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from benchmarks.figures import Figure
from benchmarks.load import CLOSE, in_turns, processors, relative, running_on, send
from benchmarks.service import CONFIG, serving
from harness.cloud import PROJECT
from harness.folders import run_folder
from harness.local import local_aws, local_cloud
from operations.waiting import NotYetError, wait_for

NAME = "local_aws's load balancer"
LARGE = 10 * 1024 * 1024
# The path of the backend, and the headers of the requests.
CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "1 KB": ("whole/1024", ()),
    "1 KB, a connection each": ("whole/1024", (CLOSE,)),
    "10 MB": (f"whole/{LARGE}", ()),
    "10 MB, a connection each": (f"whole/{LARGE}", (CLOSE,)),
    "10 MB in chunks": (f"chunked/{LARGE}", ()),
}
CONNECTIONS = 16
SECONDS = 2


def throughput() -> Iterator[Figure]:
    """Compare the load balancer and its target. Both share the processors that wrk leaves them."""
    options = (*CONFIG, "--pythonpath", str(PROJECT / "benchmarks"))
    with serving(*options, app="backend:app", ready="whole/1") as target, _balancing(target) as balancer:
        for case, (path, headers) in CASES.items():
            load = partial(send, connections=CONNECTIONS, seconds=SECONDS, headers=headers)
            balanced, direct = in_turns(partial(load, balancer + path), partial(load, target + path))
            yield from relative(f"{NAME}, {case}", balanced, direct)


@contextmanager
def _balancing(target: str) -> Iterator[str]:
    """Run local_aws with a load balancer in front of `target`; yield its URL."""
    folder = run_folder("bench")
    with ExitStack() as stack:
        with running_on(processors()[0]):
            server = stack.enter_context(local_aws(folder))
        cloud = local_cloud(server, folder)
        yield cloud.resolve(f"http://{_create(cloud.client('ec2'), cloud.client('elbv2'), target)}/")


def _create(ec2: Any, elbv2: Any, target: str) -> str:
    """Create a load balancer in the default VPC, wait until its target is healthy; return its DNS name."""
    subnets = ec2.describe_subnets()["Subnets"][:2]
    (group,) = elbv2.create_target_group(
        Name="bench",
        Protocol="HTTP",
        Port=80,
        TargetType="ip",
        VpcId=subnets[0]["VpcId"],
        HealthCheckPath="/whole/1",
        HealthCheckIntervalSeconds=10,
    )["TargetGroups"]
    arn = group["TargetGroupArn"]
    (balancer,) = elbv2.create_load_balancer(Name="bench", Subnets=[one["SubnetId"] for one in subnets])[
        "LoadBalancers"
    ]
    elbv2.create_listener(
        LoadBalancerArn=balancer["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
    )
    address = urlsplit(target)
    elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": address.hostname, "Port": address.port}])

    def check() -> None:
        (found,) = elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        if found["TargetHealth"]["State"] != "healthy":
            raise NotYetError(str(found["TargetHealth"]))

    wait_for("the target of the load balancer is healthy", check, deadline=60, interval=0.2)
    return str(balancer["DNSName"])
