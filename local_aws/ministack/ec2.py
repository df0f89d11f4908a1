"""The CloudFormation types of EC2 that MiniStack does not have, on EC2's API."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.core.context import Context
from local_aws.ministack.handlers import Attributes, Created


def resource_types(context: Context) -> dict[str, ResourceType]:
    """Return the resource types by their CloudFormation names."""
    return {
        "AWS::EC2::EIP": _address(context),
        "AWS::EC2::NatGateway": _nat_gateway(context),
        "AWS::EC2::SecurityGroupIngress": _rule(context, "ingress"),
        "AWS::EC2::SecurityGroupEgress": _rule(context, "egress"),
        "AWS::EC2::SubnetRouteTableAssociation": _route_table_association(context),
    }


def _address(context: Context) -> ResourceType:
    def create(props: Properties, _logical_id: str, _stack: str) -> Created:
        ec2 = context.client("ec2")
        rest, tags = _split_tags(props)
        created = ec2.allocate_address(**arguments("ec2", "AllocateAddress", rest))
        _tag(ec2, created["AllocationId"], tags)
        return created["PublicIp"], {"AllocationId": created["AllocationId"], "PublicIp": created["PublicIp"]}

    def update(physical_id: str, old: Properties, new: Properties) -> Attributes:
        ec2 = context.client("ec2")
        address = ec2.describe_addresses(PublicIps=[physical_id])["Addresses"][0]
        _retag(ec2, address["AllocationId"], old, new)
        return {"AllocationId": address["AllocationId"], "PublicIp": physical_id}

    def delete(physical_id: str, _props: Properties) -> None:
        ec2 = context.client("ec2")
        found = [a for a in ec2.describe_addresses()["Addresses"] if a["PublicIp"] == physical_id]
        for address in found:
            ec2.release_address(AllocationId=address["AllocationId"])

    return ResourceType(create, delete, update, frozenset({"Domain"}))


def _nat_gateway(context: Context) -> ResourceType:
    def create(props: Properties, _logical_id: str, _stack: str) -> Created:
        ec2 = context.client("ec2")
        rest, tags = _split_tags(props)
        created = ec2.create_nat_gateway(**arguments("ec2", "CreateNatGateway", rest))["NatGateway"]
        _tag(ec2, created["NatGatewayId"], tags)
        return created["NatGatewayId"], {"NatGatewayId": created["NatGatewayId"]}

    def update(physical_id: str, old: Properties, new: Properties) -> Attributes:
        _retag(context.client("ec2"), physical_id, old, new)
        return {"NatGatewayId": physical_id}

    def delete(physical_id: str, _props: Properties) -> None:
        with _ignore_not_found("NatGatewayNotFound"):
            context.client("ec2").delete_nat_gateway(NatGatewayId=physical_id)

    return ResourceType(create, delete, update, frozenset({"SubnetId", "AllocationId", "ConnectivityType"}))


def _rule(context: Context, direction: str) -> ResourceType:
    """Return the type of a security group rule that is a resource of its own."""

    def permission(props: Properties) -> tuple[str, dict[str, Any]]:
        rest = dict(props)
        group = rest.pop("GroupId")
        description = rest.pop("Description", None)
        permission: dict[str, Any] = {"IpProtocol": str(rest.pop("IpProtocol"))}
        for name in ("FromPort", "ToPort"):
            if name in rest:
                permission[name] = int(rest.pop(name))
        source = _source(rest, direction)
        if description is not None:
            next(iter(source.values()))[0]["Description"] = description
        return group, {**permission, **source}

    def create(props: Properties, logical_id: str, _stack: str) -> Created:
        group, rule = permission(props)
        call = getattr(context.client("ec2"), f"authorize_security_group_{direction}")
        created = call(GroupId=group, IpPermissions=[rule])
        rules = created.get("SecurityGroupRules") or [{}]
        rule_id = rules[0].get("SecurityGroupRuleId", f"{group}|{logical_id}")
        return rule_id, {"Id": rule_id}

    def delete(_physical_id: str, props: Properties) -> None:
        group, rule = permission(props)
        call = getattr(context.client("ec2"), f"revoke_security_group_{direction}")
        with _ignore_not_found("InvalidPermission.NotFound", "InvalidGroup.NotFound"):
            call(GroupId=group, IpPermissions=[rule])

    return ResourceType(create, delete)


def _source(rest: dict[str, Any], direction: str) -> dict[str, list[dict[str, Any]]]:
    """Return the source or destination of a rule. Raises `ValueError` for an unknown property."""
    group_name = "SourceSecurityGroupId" if direction == "ingress" else "DestinationSecurityGroupId"
    prefix_list_name = "SourcePrefixListId" if direction == "ingress" else "DestinationPrefixListId"
    members = {
        "CidrIp": ("IpRanges", "CidrIp"),
        "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        group_name: ("UserIdGroupPairs", "GroupId"),
        prefix_list_name: ("PrefixListIds", "PrefixListId"),
    }
    unknown = sorted(set(rest) - set(members))
    if unknown:
        raise ValueError(f"Encountered unsupported property {', '.join(unknown)}")
    if len(rest) != 1:
        raise ValueError(f"a security group rule needs exactly one of {', '.join(members)}")
    name, value = rest.popitem()
    list_name, member = members[name]
    return {list_name: [{member: value}]}


def _route_table_association(context: Context) -> ResourceType:
    def create(props: Properties, _logical_id: str, _stack: str) -> Created:
        created = context.client("ec2").associate_route_table(
            **arguments("ec2", "AssociateRouteTable", props)
        )
        return created["AssociationId"], {"Id": created["AssociationId"]}

    def delete(physical_id: str, _props: Properties) -> None:
        with _ignore_not_found("InvalidAssociationID.NotFound"):
            context.client("ec2").disassociate_route_table(AssociationId=physical_id)

    return ResourceType(create, delete)


def _split_tags(props: Properties) -> tuple[dict[str, Any], list[Mapping[str, str]]]:
    rest = dict(props)
    return rest, [dict(tag) for tag in rest.pop("Tags", [])]


def _tag(ec2: Any, resource: str, tags: list[Mapping[str, str]]) -> None:
    if tags:
        ec2.create_tags(Resources=[resource], Tags=tags)


def _retag(ec2: Any, resource: str, old: Properties, new: Properties) -> None:
    before, after = _split_tags(old)[1], _split_tags(new)[1]
    remaining = {tag["Key"] for tag in after}
    removed = [{"Key": tag["Key"]} for tag in before if tag["Key"] not in remaining]
    if removed:
        ec2.delete_tags(Resources=[resource], Tags=removed)
    _tag(ec2, resource, after)


@contextmanager
def _ignore_not_found(*codes: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in codes:
            raise
