"""Wrong calls of EC2.

The model of EC2 declares no codes; these are on its page of error codes:
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
"""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

NOBODY = "0a1b2c3d4e5f60718"
PERMISSIONS = [{"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]


def prepare(account: Account) -> Mapping[str, Any]:
    """Create one of each resource of a network."""
    client = account.client("ec2")
    network, subnet = account.network, account.subnets[0]
    group = client.create_security_group(GroupName="group", Description="d", VpcId=network)["GroupId"]
    client.authorize_security_group_ingress(GroupId=group, IpPermissions=PERMISSIONS)
    table = client.create_route_table(VpcId=network)["RouteTable"]["RouteTableId"]
    gateway = client.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [network]}])[
        "InternetGateways"
    ][0]["InternetGatewayId"]
    client.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    address = client.allocate_address(Domain="vpc")["AllocationId"]
    nat = client.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    return {
        "network": network,
        "subnet": subnet,
        "group": group,
        "table": table,
        "gateway": gateway,
        "address": address,
        "nat": nat,
    }


ROUTE = {"RouteTableId": "$table", "DestinationCidrBlock": "10.9.0.0/16", "GatewayId": "$gateway"}
RULE = {"GroupId": "$group", "IpPermissions": PERMISSIONS}
VALID: Mapping[str, Mapping[str, Any]] = {
    "AllocateAddress": {"Domain": "vpc"},
    "AssociateRouteTable": {"RouteTableId": "$table", "SubnetId": "$subnet"},
    "AttachInternetGateway": {"InternetGatewayId": "$gateway", "VpcId": "$network"},
    "AuthorizeSecurityGroupEgress": RULE,
    "AuthorizeSecurityGroupIngress": RULE,
    "CreateNatGateway": {"SubnetId": "$subnet", "AllocationId": "$address"},
    "CreateRoute": ROUTE,
    "CreateRouteTable": {"VpcId": "$network"},
    "CreateSecurityGroup": {"GroupName": "new", "Description": "d", "VpcId": "$network"},
    "CreateSubnet": {"VpcId": "$network", "CidrBlock": "10.0.9.0/24"},
    "CreateTags": {"Resources": ["$subnet"], "Tags": [{"Key": "k", "Value": "v"}]},
    "CreateVpc": {"CidrBlock": "10.8.0.0/16"},
    "DeleteInternetGateway": {"InternetGatewayId": "$gateway"},
    "DeleteNatGateway": {"NatGatewayId": "$nat"},
    "DeleteRoute": {"RouteTableId": "$table", "DestinationCidrBlock": "0.0.0.0/0"},
    "DeleteRouteTable": {"RouteTableId": "$table"},
    "DeleteSecurityGroup": {"GroupId": "$group"},
    "DeleteSubnet": {"SubnetId": "$subnet"},
    "DeleteTags": {"Resources": ["$subnet"], "Tags": [{"Key": "k"}]},
    "DeleteVpc": {"VpcId": "$network"},
    "DescribeAddresses": {},
    "DescribeInternetGateways": {},
    "DescribeNatGateways": {},
    "DescribeNetworkInterfaces": {},
    "DescribeRouteTables": {},
    "DescribeSecurityGroups": {},
    "DescribeSubnets": {},
    "DescribeVpcAttribute": {"VpcId": "$network", "Attribute": "enableDnsSupport"},
    "DescribeVpcEndpoints": {},
    "DescribeVpcs": {},
    "DetachInternetGateway": {"InternetGatewayId": "$gateway", "VpcId": "$network"},
    "DisassociateRouteTable": {"AssociationId": f"rtbassoc-{NOBODY}"},
    "ModifySubnetAttribute": {"SubnetId": "$subnet", "MapPublicIpOnLaunch": {"Value": True}},
    "ModifyVpcAttribute": {"VpcId": "$network", "EnableDnsSupport": {"Value": True}},
    "ReleaseAddress": {"AllocationId": "$address"},
    "ReplaceRoute": ROUTE,
    "RevokeSecurityGroupEgress": RULE,
    "RevokeSecurityGroupIngress": RULE,
}
# Member -> prefix of its ids, and the codes for an unknown and for a malformed one.
IDS: Mapping[str, tuple[str, str, str]] = {
    "VpcId": ("vpc", "InvalidVpcID.NotFound", "InvalidVpcID.Malformed"),
    "SubnetId": ("subnet", "InvalidSubnetID.NotFound", "InvalidSubnetID.Malformed"),
    "GroupId": ("sg", "InvalidGroup.NotFound", "InvalidGroupId.Malformed"),
    "RouteTableId": ("rtb", "InvalidRouteTableID.NotFound", "InvalidRouteTableId.Malformed"),
    "InternetGatewayId": ("igw", "InvalidInternetGatewayID.NotFound", "InvalidInternetGatewayId.Malformed"),
    "NatGatewayId": ("nat", "NatGatewayNotFound", "NatGatewayMalformed"),
    "AllocationId": ("eipalloc", "InvalidAllocationID.NotFound", "InvalidParameterValue"),
    "AssociationId": ("rtbassoc", "InvalidAssociationID.NotFound", "InvalidAssociationID.Malformed"),
}
LISTS: Mapping[str, str] = {
    "VpcIds": "VpcId",
    "SubnetIds": "SubnetId",
    "GroupIds": "GroupId",
    "RouteTableIds": "RouteTableId",
    "InternetGatewayIds": "InternetGatewayId",
    "NatGatewayIds": "NatGatewayId",
    "AllocationIds": "AllocationId",
}
WRONG = (
    *(
        Wrong(member, f"{prefix}-{NOBODY}", code, ("CreateRoute", "ReplaceRoute") if prefix == "nat" else ())
        for member, (prefix, code, _) in IDS.items()
    ),
    *(Wrong(member, "zz", code) for member, (_, _, code) in IDS.items()),
    *(Wrong(many, [f"{IDS[one][0]}-{NOBODY}"], IDS[one][1]) for many, one in LISTS.items()),
    *(Wrong(many, ["zz"], IDS[one][2]) for many, one in LISTS.items()),
    Wrong("CidrBlock", "zz", "InvalidParameterValue"),
    Wrong("DestinationCidrBlock", "zz", "InvalidParameterValue"),
    Wrong("Filters", [{"Name": "nope", "Values": ["x"]}], "InvalidParameterValue"),
    Wrong("Tags", [{"Key": "aws:k", "Value": "v"}], "InvalidParameterValue", ("DeleteTags",)),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("AttachInternetGateway", {}, "Resource.AlreadyAssociated"),
    ("AuthorizeSecurityGroupIngress", {}, "InvalidPermission.Duplicate"),
    ("CreateRoute", {"DestinationCidrBlock": "0.0.0.0/0"}, "RouteAlreadyExists"),
    ("CreateSecurityGroup", {"GroupName": "group"}, "InvalidGroup.Duplicate"),
    ("CreateSubnet", {"CidrBlock": "10.0.0.0/24"}, "InvalidSubnet.Conflict"),
    ("CreateSubnet", {"CidrBlock": "10.9.0.0/24"}, "InvalidSubnet.Range"),
    ("CreateVpc", {"CidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range"),
    ("CreateTags", {"Resources": [f"subnet-{NOBODY}"]}, "InvalidSubnetID.NotFound"),
    ("CreateTags", {"Tags": [{"Key": f"k{n}", "Value": "v"} for n in range(51)]}, "TagLimitExceeded"),
    ("DeleteInternetGateway", {}, "DependencyViolation"),
    ("DeleteRoute", {"DestinationCidrBlock": "10.7.0.0/16"}, "InvalidRoute.NotFound"),
    ("DeleteSubnet", {}, "DependencyViolation"),
    ("DeleteVpc", {}, "DependencyViolation"),
    ("ReplaceRoute", {"DestinationCidrBlock": "10.7.0.0/16"}, "InvalidRoute.NotFound"),
    ("ReleaseAddress", {}, "InvalidIPAddress.InUse"),
    ("RevokeSecurityGroupEgress", {}, "InvalidPermission.NotFound"),
)
DOCUMENTED = frozenset(each.code for each in WRONG) | {code for _, _, code in CHANGES}
SUITE = Suite("ec2", tuple(VALID), VALID, WRONG, CHANGES, prepare, "MissingParameter", DOCUMENTED)
