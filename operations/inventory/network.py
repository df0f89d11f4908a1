"""The network resources of EC2, and the load balancers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from operations.account import Account, batches
from operations.ownership import Resource, normalize_tags

# DescribeTags takes twenty.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
TAGS_AT_ONCE = 20


def vpcs(account: Account) -> Iterator[Resource]:
    """Yield the VPCs."""
    for vpc in account.pages("ec2", "describe_vpcs", "Vpcs"):
        yield Resource("VPC", vpc["VpcId"], normalize_tags(vpc.get("Tags")))


def subnets(account: Account) -> Iterator[Resource]:
    """Yield the subnets."""
    yield from _in_vpcs(account, "subnet", "describe_subnets", "Subnets", "SubnetId")


def security_groups(account: Account) -> Iterator[Resource]:
    """Yield the security groups, except the `default` of each VPC, which is deleted with it."""
    found = account.pages("ec2", "describe_security_groups", "SecurityGroups")
    ours = (group for group in found if group["GroupName"] != "default")
    yield from _tagged_as_vpc(account, "security group", "GroupId", ours, name_in="GroupName")


def route_tables(account: Account) -> Iterator[Resource]:
    """Yield the route tables."""
    yield from _in_vpcs(account, "route table", "describe_route_tables", "RouteTables", "RouteTableId")


def network_interfaces(account: Account) -> Iterator[Resource]:
    """Yield the network interfaces; the description of a load balancer's contains its name.

    Those of Fargate and Lambda have no tags. Their security group has those of the environment, also in a
    shared VPC.
    """
    groups = account.pages("ec2", "describe_security_groups", "SecurityGroups")
    tags = {group["GroupId"]: normalize_tags(group.get("Tags")) for group in groups}
    found = (
        {
            **one,
            "Tags": _merged(*(tags.get(group["GroupId"], {}) for group in one.get("Groups", [])), _own(one)),
        }
        for one in account.pages("ec2", "describe_network_interfaces", "NetworkInterfaces")
    )
    yield from _tagged_as_vpc(
        account, "network interface", "NetworkInterfaceId", found, name_in="Description"
    )


def internet_gateways(account: Account) -> Iterator[Resource]:
    """Yield the internet gateways."""
    for gateway in account.pages("ec2", "describe_internet_gateways", "InternetGateways"):
        yield Resource("internet gateway", gateway["InternetGatewayId"], normalize_tags(gateway.get("Tags")))


def nat_gateways(account: Account) -> Iterator[Resource]:
    """Yield the NAT gateways; AWS shows a deleted one for about an hour."""
    found = account.pages("ec2", "describe_nat_gateways", "NatGateways")
    live = (gateway for gateway in found if gateway["State"] != "deleted")
    yield from _tagged_as_vpc(account, "NAT gateway", "NatGatewayId", live, name_in="State")


def addresses(account: Account) -> Iterator[Resource]:
    """Yield the Elastic IP addresses."""
    for address in account.pages("ec2", "describe_addresses", "Addresses"):
        name = address.get("AllocationId") or address["PublicIp"]
        yield Resource("Elastic IP address", name, normalize_tags(address.get("Tags")))


def endpoints(account: Account) -> Iterator[Resource]:
    """Yield the VPC endpoints."""
    yield from _in_vpcs(account, "VPC endpoint", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId")


def flow_logs(account: Account) -> Iterator[Resource]:
    """Yield the flow logs."""
    for log in account.pages("ec2", "describe_flow_logs", "FlowLogs"):
        yield Resource("flow log", log["FlowLogId"], normalize_tags(log.get("Tags")), (log["ResourceId"],))


def load_balancers(account: Account) -> Iterator[Resource]:
    """Yield the load balancers and their listeners."""
    found = list(account.pages("elbv2", "describe_load_balancers", "LoadBalancers"))
    yield from _tagged(account, "load balancer", "LoadBalancerName", "LoadBalancerArn", found)
    for balancer in found:
        arn = balancer["LoadBalancerArn"]
        for listener in account.pages("elbv2", "describe_listeners", "Listeners", LoadBalancerArn=arn):
            yield Resource("listener", listener["ListenerArn"], parents=(balancer["LoadBalancerName"],))


def target_groups(account: Account) -> Iterator[Resource]:
    """Yield the target groups."""
    found = list(account.pages("elbv2", "describe_target_groups", "TargetGroups"))
    yield from _tagged(account, "target group", "TargetGroupName", "TargetGroupArn", found)


def _in_vpcs(account: Account, kind: str, operation: str, key: str, name: str) -> Iterator[Resource]:
    yield from _tagged_as_vpc(account, kind, name, account.pages("ec2", operation, key))


def _tagged_as_vpc(
    account: Account, kind: str, name: str, found: Iterable[Mapping[str, Any]], name_in: str = ""
) -> Iterator[Resource]:
    """Yield `found`, whose own tags precede those of its VPC; the property `name_in` has a further name."""
    vpcs = {
        vpc["VpcId"]: normalize_tags(vpc.get("Tags")) for vpc in account.pages("ec2", "describe_vpcs", "Vpcs")
    }
    for one in found:
        tags = _merged(vpcs.get(one.get("VpcId", ""), {}), _own(one))
        text = str(one.get(name_in, ""))
        yield Resource(kind, one[name], tags, (text,), text)


def _own(one: Mapping[str, Any]) -> dict[str, str]:
    return normalize_tags(one.get("Tags") or one.get("TagSet"))


def _merged(*tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value for some in tags for key, value in some.items()}


def _tagged(
    account: Account, kind: str, name: str, arn: str, found: list[dict[str, Any]]
) -> Iterator[Resource]:
    for some in batches(found, TAGS_AT_ONCE):
        answer = account.client("elbv2").describe_tags(ResourceArns=[one[arn] for one in some])
        tags = {
            described["ResourceArn"]: normalize_tags(described["Tags"])
            for described in answer["TagDescriptions"]
        }
        yield from (Resource(kind, one[name], tags.get(one[arn], {})) for one in some)


KINDS: Mapping[str, Callable[[Account], Iterator[Resource]]] = {
    "VPCs": vpcs,
    "subnets": subnets,
    "security groups": security_groups,
    "route tables": route_tables,
    "network interfaces": network_interfaces,
    "internet gateways": internet_gateways,
    "NAT gateways": nat_gateways,
    "Elastic IP addresses": addresses,
    "VPC endpoints": endpoints,
    "flow logs": flow_logs,
    "load balancers": load_balancers,
    "target groups": target_groups,
}
