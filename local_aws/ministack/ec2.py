"""The CloudFormation types of EC2 that MiniStack does not have, and what it lacks of VPCs and endpoints."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import Attributes, Created, patch_handler, resource_handlers

stored = require(
    "services.ec2", "_ACTION_MAP", "_create_vpc", "_route_tables", "_security_groups", "_vpc_endpoints"
)


def resource_types(context: Context) -> dict[str, ResourceType]:
    """Return the resource types by their CloudFormation names."""
    return {
        "AWS::EC2::EIP": _address(context),
        "AWS::EC2::FlowLog": _flow_log(context),
        "AWS::EC2::NatGateway": _nat_gateway(context),
        "AWS::EC2::SecurityGroupIngress": _rule(context, "ingress"),
        "AWS::EC2::SecurityGroupEgress": _rule(context, "egress"),
        "AWS::EC2::SubnetRouteTableAssociation": _route_table_association(context),
    }


def patch_vpcs() -> None:
    """Give a VPC's default security group its rule for members, and reject endpoints that EC2 rejects."""
    create_vpc, handlers = stored._ACTION_MAP["CreateVpc"], resource_handlers()
    stored._ACTION_MAP["CreateVpc"] = _with_default_rule(create_vpc)
    patch_handler("AWS::EC2::VPC", create=_with_default_rule(handlers["AWS::EC2::VPC"]["create"]))
    create_flow_logs = stored._ACTION_MAP["CreateFlowLogs"]
    stored._ACTION_MAP["CreateFlowLogs"] = lambda params: create_flow_logs(_with_flow_log_tags(params))
    create_endpoint = handlers["AWS::EC2::VPCEndpoint"]["create"]

    def create(logical_id: str, props: Properties, stack: str) -> Created:
        _check_endpoint(props)
        created: Created = create_endpoint(logical_id, props, stack)
        return created

    patch_handler("AWS::EC2::VPCEndpoint", create=create)


def _with_default_rule(create: Callable[..., Any]) -> Callable[..., Any]:
    """Add the inbound rule that MiniStack leaves out.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """

    def with_rule(*given: Any) -> Any:
        before = set(stored._security_groups)
        result = create(*given)
        for id_ in set(stored._security_groups) - before:
            group = stored._security_groups[id_]
            if group["GroupName"] == "default":
                members = [{"GroupId": id_, "UserId": group["OwnerId"]}]
                rule = {"IpRanges": [], "Ipv6Ranges": [], "PrefixListIds": [], "UserIdGroupPairs": members}
                group["IpPermissions"].append({"IpProtocol": "-1", **rule})
        return result

    return with_rule


def _with_flow_log_tags(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with MiniStack's word for a flow log, so that its tags are not dropped."""
    return {key: ["flow-log"] if value == ["vpc-flow-log"] else value for key, value in params.items()}


def _check_endpoint(props: Properties) -> None:
    """Raise `ValueError` for a route table of another VPC, or one with a route to the same service."""
    for table in props.get("RouteTableIds", []):
        if stored._route_tables.get(table, {}).get("VpcId") != props["VpcId"]:
            raise ValueError(f"The routeTable ID '{table}' does not exist in {props['VpcId']}")
        for other in stored._vpc_endpoints.values():
            if other["ServiceName"] == props["ServiceName"] and table in other["RouteTableIds"]:
                raise ValueError(
                    f"route table {table} already has a route with the prefix list of {props['ServiceName']}"
                )


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


def _flow_log(context: Context) -> ResourceType:
    def create(props: Properties, _logical_id: str, _stack: str) -> Created:
        client = context.client("ec2")
        rest, tags = _split_tags(props)
        resource = rest.pop("ResourceId")
        if rest["ResourceType"] != "VPC":
            raise ValueError(f"local_aws does not support flow logs of {rest['ResourceType']}")
        client.describe_vpcs(VpcIds=[resource])
        given = arguments("ec2", "CreateFlowLogs", {**rest, "ResourceIds": [resource]})
        (created,) = client.create_flow_logs(**given)["FlowLogIds"]
        _tag(client, created, tags)
        return created, {"Id": created}

    def update(physical_id: str, old: Properties, new: Properties) -> Attributes:
        _retag(context.client("ec2"), physical_id, old, new)
        return {"Id": physical_id}

    def delete(physical_id: str, _props: Properties) -> None:
        context.client("ec2").delete_flow_logs(FlowLogIds=[physical_id])

    replaced = ("ResourceId", "ResourceType", "TrafficType", "LogGroupName", "LogDestination")
    return ResourceType(
        create,
        delete,
        update,
        frozenset({*replaced, "LogDestinationType", "LogFormat", "DeliverLogsPermissionArn"}),
    )


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
        raise ValueError(f"local_aws does not support the property {', '.join(unknown)}")
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
