"""Checks what AWS checks before a create or delete: that a name is free, that a resource is not in use."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.cloudformation import Properties
from local_aws.core.context import Context
from local_aws.ministack.handlers import check_before_create, patch_handler, resource_handlers

# Returns something true if the name is taken. It may also raise if the name is free.
Lookup = Callable[[Context, str], object]
# Takes the physical id and the properties. Raises `ValueError` if the resource is in use.
UseCheck = Callable[[Context, str, Properties], None]

# Resource type -> the property with the name, and the lookup.
NAMED: dict[str, tuple[str, Lookup]] = {
    "AWS::ECR::Repository": (
        "RepositoryName",
        lambda c, name: c.client("ecr").describe_repositories(repositoryNames=[name])["repositories"],
    ),
    "AWS::IAM::Role": ("RoleName", lambda c, name: c.client("iam").get_role(RoleName=name)),
    "AWS::SNS::Topic": (
        "TopicName",
        lambda c, name: c.client("sns").get_topic_attributes(TopicArn=c.arn("sns", name)),
    ),
    "AWS::Lambda::Function": (
        "FunctionName",
        lambda c, name: c.client("lambda").get_function(FunctionName=name),
    ),
    "AWS::Logs::LogGroup": (
        "LogGroupName",
        lambda c, name: [
            group
            for group in c.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            if group["logGroupName"] == name
        ],
    ),
    "AWS::Logs::ResourcePolicy": (
        "PolicyName",
        lambda c, name: [
            policy
            for policy in c.client("logs").describe_resource_policies()["resourcePolicies"]
            if policy["policyName"] == name
        ],
    ),
    "AWS::CloudWatch::Dashboard": (
        "DashboardName",
        lambda c, name: c.client("cloudwatch").get_dashboard(DashboardName=name),
    ),
    "AWS::Events::Rule": ("Name", lambda c, name: c.client("events").describe_rule(Name=name)),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "Name",
        lambda c, name: c.client("elbv2").describe_load_balancers(Names=[name])["LoadBalancers"],
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        "Name",
        lambda c, name: c.client("elbv2").describe_target_groups(Names=[name])["TargetGroups"],
    ),
}


def patch_preconditions(context: Context) -> None:
    """Add the checks to MiniStack's handlers, which lack them."""
    handlers = resource_handlers()
    for resource_type, (key, lookup) in NAMED.items():
        check_before_create(resource_type, partial(_check_free, context, resource_type, key, lookup))
    parameter = handlers["AWS::SSM::Parameter"]
    both = {verb: _without_secrets(parameter[verb]) for verb in ("create", "update")}
    patch_handler("AWS::SSM::Parameter", **both)
    for resource_type, check in USE_CHECKS.items():
        delete = handlers[resource_type]["delete"]
        patch_handler(resource_type, delete=_unless_in_use(context, delete, check))


def _check_free(context: Context, resource_type: str, key: str, lookup: Lookup, props: Properties) -> None:
    name = props.get(key)
    if name and _exists(lookup, context, name):
        raise ValueError(f"Resource of type '{resource_type}' with identifier '{name}' already exists.")


def _without_secrets(original: Callable[..., Any]) -> Callable[..., Any]:
    """Reject a SecureString, whose value would be in the template (pitfall F5).

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ssm-parameter.html
    """

    def handle(*arguments: Any) -> Any:
        if any(isinstance(each, Mapping) and each.get("Type") == "SecureString" for each in arguments):
            # The message: aws-cloudformation/aws-cloudformation-resource-providers-ssm#63.
            raise ValueError("SSM Parameters of type SecureString cannot be created using CloudFormation")
        return original(*arguments)

    return handle


def _exists(lookup: Lookup, context: Context, name: str) -> bool:
    try:
        return bool(lookup(context, name))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NotFound" in code or "NoSuchEntity" in code:
            return False
        raise


def _unless_in_use(context: Context, original: Callable[..., None], check: UseCheck) -> Callable[..., None]:
    def delete(physical_id: str, props: Properties, *rest: Any) -> None:
        check(context, physical_id, props)
        original(physical_id, props, *rest)

    return delete


def _check_security_group(context: Context, group_id: str, _props: Properties) -> None:
    users = [
        balancer["LoadBalancerName"]
        for balancer in context.client("elbv2").describe_load_balancers()["LoadBalancers"]
        if group_id in balancer.get("SecurityGroups", [])
    ]
    for group in context.client("ec2").describe_security_groups()["SecurityGroups"]:
        if group["GroupId"] == group_id:
            continue
        permissions = [*group["IpPermissions"], *group["IpPermissionsEgress"]]
        pairs = [pair.get("GroupId") for rule in permissions for pair in rule.get("UserIdGroupPairs", [])]
        users += [group["GroupId"]] if group_id in pairs else []
    users += _functions_with(context, "SecurityGroupIds", group_id)
    if users:
        raise ValueError(
            f"DependencyViolation: resource {group_id} has a dependent object ({', '.join(users)})"
        )


def _check_subnet(context: Context, subnet_id: str, _props: Properties) -> None:
    users = [
        balancer["LoadBalancerName"]
        for balancer in context.client("elbv2").describe_load_balancers()["LoadBalancers"]
        if any(zone.get("SubnetId") == subnet_id for zone in balancer.get("AvailabilityZones", []))
    ]
    users += [
        gateway["NatGatewayId"]
        for gateway in context.client("ec2").describe_nat_gateways()["NatGateways"]
        if gateway["SubnetId"] == subnet_id and gateway["State"] not in ("deleted", "deleting", "failed")
    ]
    users += _functions_with(context, "SubnetIds", subnet_id)
    if users:
        raise ValueError(
            f"DependencyViolation: The subnet '{subnet_id}' has dependencies and cannot be deleted "
            f"({', '.join(users)})."
        )


def _check_vpc(context: Context, vpc_id: str, _props: Properties) -> None:
    endpoints = context.client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    users = [endpoint["VpcEndpointId"] for endpoint in endpoints if endpoint["VpcId"] == vpc_id]
    if users:
        raise ValueError(
            f"DependencyViolation: The vpc '{vpc_id}' has dependencies and cannot be deleted "
            f"({', '.join(users)})."
        )


def _functions_with(context: Context, key: str, wanted: str) -> list[str]:
    """Return the functions in a subnet or security group, whose network interfaces use it."""
    found = context.client("lambda").get_paginator("list_functions").paginate().search("Functions")
    return [
        function["FunctionName"]
        for function in found
        if function and wanted in function.get("VpcConfig", {}).get(key, [])
    ]


def _check_role(context: Context, name: str, props: Properties) -> None:
    """Reject the deletion of a role with policies that are not in its template."""
    iam = context.client("iam")
    if not _exists(NAMED["AWS::IAM::Role"][1], context, name):
        return
    own = {policy["PolicyName"] for policy in props.get("Policies") or []}
    foreign = set(iam.list_role_policies(RoleName=name)["PolicyNames"]) - own
    if foreign:
        raise ValueError(
            f"Cannot delete entity, must delete policies first: {name} has {', '.join(sorted(foreign))}"
        )
    attached = {p["PolicyArn"] for p in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]}
    if attached - set(props.get("ManagedPolicyArns") or []):
        raise ValueError(f"Cannot delete entity, must detach all policies first: {name}")


USE_CHECKS: dict[str, UseCheck] = {
    "AWS::EC2::SecurityGroup": _check_security_group,
    "AWS::EC2::Subnet": _check_subnet,
    "AWS::EC2::VPC": _check_vpc,
    "AWS::IAM::Role": _check_role,
}
