"""What AWS refuses and MiniStack's CloudFormation does not: a name that is taken, a thing that is in use."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.context import Context
from local_aws.ministack.compat import require

# Type -> the property that names it, and a call that raises when there is none of that name.
NAMED: dict[str, tuple[str, Callable[[Context, str], object]]] = {
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


def install(context: Context) -> None:
    """Wrap the handlers that let pass what AWS refuses."""
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    for name, (key, look) in NAMED.items():
        handlers[name] = {**handlers[name], "create": _unless_taken(context, name, key, look)}
    parameter = handlers["AWS::SSM::Parameter"]
    both = {verb: _without_secrets(parameter[verb]) for verb in ("create", "update")}
    handlers["AWS::SSM::Parameter"] = {**parameter, **both}
    for name, check in (
        ("AWS::EC2::SecurityGroup", _refuse_security_group_in_use),
        ("AWS::EC2::Subnet", _refuse_subnet_in_use),
        ("AWS::IAM::Role", _refuse_role_in_use),
    ):
        handlers[name] = {**handlers[name], "delete": _checked(context, handlers[name]["delete"], check)}


def _unless_taken(
    context: Context, name: str, key: str, look: Callable[[Context, str], object]
) -> Callable[..., tuple[str, dict[str, Any]]]:
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    original = handlers[name]["create"]

    def create(logical_id: str, props: Mapping[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        wanted = props.get(key)
        if wanted and _found(look, context, wanted):
            raise ValueError(f"Resource of type '{name}' with identifier '{wanted}' already exists.")
        created: tuple[str, dict[str, Any]] = original(logical_id, props, stack)
        return created

    return create


def _without_secrets(original: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse a SecureString, which would stand in the template (pitfall F5).

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-ssm-parameter.html
    """

    def handle(*given: Any) -> Any:
        if any(isinstance(one, Mapping) and one.get("Type") == "SecureString" for one in given):
            # The words: aws-cloudformation/aws-cloudformation-resource-providers-ssm#63.
            raise ValueError("SSM Parameters of type SecureString cannot be created using CloudFormation")
        return original(*given)

    return handle


def _found(look: Callable[[Context, str], object], context: Context, name: str) -> bool:
    try:
        return bool(look(context, name))
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if "NotFound" in code or "NoSuchEntity" in code:
            return False
        raise


def _checked(
    context: Context, original: Callable[..., None], check: Callable[[Context, str, Mapping[str, Any]], None]
) -> Callable[..., None]:
    def delete(physical_id: str, props: Mapping[str, Any], *rest: Any) -> None:
        check(context, physical_id, props)
        original(physical_id, props, *rest)

    return delete


def _refuse_security_group_in_use(context: Context, group_id: str, _props: Mapping[str, Any]) -> None:
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


def _refuse_subnet_in_use(context: Context, subnet_id: str, _props: Mapping[str, Any]) -> None:
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


def _functions_with(context: Context, key: str, wanted: str) -> list[str]:
    """Name the functions that stand in a subnet or a security group: their interfaces hold it."""
    found = context.client("lambda").get_paginator("list_functions").paginate().search("Functions")
    return [one["FunctionName"] for one in found if one and wanted in one.get("VpcConfig", {}).get(key, [])]


def _refuse_role_in_use(context: Context, name: str, props: Mapping[str, Any]) -> None:
    """Refuse to delete a role that somebody else gave a policy; the template's own go with it."""
    iam = context.client("iam")
    if not _found(lambda c, role: c.client("iam").get_role(RoleName=role), context, name):
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
