"""Drift detection of CloudFormation: reads what MiniStack leaves out, with the permissions of the caller.

AWS reads each resource as the caller, with the permissions that the schema of its type names for reading:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
The types of our own services have no reader, so they are NOT_CHECKED, as types that AWS does not support.
"""

from collections.abc import Mapping
from typing import Any

from local_aws.core.api import CALLER, AwsError
from local_aws.core.cloudformation import Properties
from local_aws.core.context import Context
from local_aws.core.resource_schemas import schema_of
from local_aws.ministack.compat import require
from local_aws.ministack.supported_types import OURS

drift = require(
    "services.cloudformation.drift", "_DRIFT_READERS", "_json_or", "_read_iam_role", "detect_resource_drift"
)
ec2 = require("services.ec2", "_security_groups")
iam = require("services.iam", "_roles")

Actual = dict[str, Any]
# The resource on which a read is authorized, by type: these are the ones whose reads are checked.
READ_ON: Mapping[str, tuple[str, str]] = {
    "AWS::EC2::SecurityGroup": ("ec2", "*"),
    "AWS::IAM::Role": ("iam", "role/{}"),
    "AWS::Lambda::Function": ("lambda", "function:{}"),
}
# Of a function whose variables have a key of the customer.
CONDITIONAL = frozenset({"kms:Decrypt"})


def patch_drift(context: Context) -> None:
    """Read roles with their policies and security groups, and only what the caller may read."""
    readers = drift._DRIFT_READERS
    for resource_type in OURS & readers.keys():
        del readers[resource_type]
    _, of_roles = readers["AWS::IAM::Role"]
    readers["AWS::IAM::Role"] = (_read_role, of_roles | {"ManagedPolicyArns", "Policies"})
    readers["AWS::EC2::SecurityGroup"] = (
        _read_security_group,
        frozenset({"GroupDescription", "SecurityGroupEgress", "SecurityGroupIngress"}),
    )
    detect = drift.detect_resource_drift

    def detect_as_caller(
        stack: dict[str, Any], logical_id: str, record: dict[str, Any], timestamp: str
    ) -> dict[str, Any]:
        resource_type, id_ = record.get("ResourceType", ""), str(record.get("PhysicalResourceId", ""))
        try:
            _authorize(context, resource_type, id_)
        except AwsError as error:
            return {
                "StackId": stack["StackId"],
                "LogicalResourceId": logical_id,
                "PhysicalResourceId": id_,
                "ResourceType": resource_type,
                "Timestamp": timestamp,
                "StackResourceDriftStatus": "UNKNOWN",
                "DriftStatusReason": error.message,
            }
        found: dict[str, Any] = detect(stack, logical_id, record, timestamp)
        return found

    drift.detect_resource_drift = detect_as_caller


def _authorize(context: Context, resource_type: str, id_: str) -> None:
    """Raise AwsError unless the caller may do what reading a resource needs."""
    caller = CALLER.get()
    if not caller or resource_type not in READ_ON:
        return
    service, resource = READ_ON[resource_type]
    region = "" if service == "iam" else context.region
    arn = f"arn:aws:{service}:{region}:{context.account}:{resource.format(id_)}"
    schema = schema_of(resource_type) or {}
    for action in schema["handlers"]["read"]["permissions"]:
        if action not in CONDITIONAL:
            context.authorize(caller, action, "*" if resource == "*" else arn)


def _read_role(id_: str, props: Properties) -> Actual | None:
    found: Actual | None = drift._read_iam_role(id_, props)
    if found is None:
        return None
    role = iam._roles[id_]
    policies = [
        {"PolicyName": name, "PolicyDocument": drift._json_or(document)}
        for name, document in role["InlinePolicies"].items()
    ]
    attached = [one if isinstance(one, str) else one["PolicyArn"] for one in role["AttachedPolicies"]]
    return {**found, "Policies": policies, "ManagedPolicyArns": attached}


def _read_security_group(id_: str, _props: Properties) -> Actual | None:
    group = ec2._security_groups.get(id_)
    if group is None:
        return None
    return {
        "GroupDescription": group["Description"],
        "SecurityGroupIngress": _rules(group["IpPermissions"], "SourceSecurityGroupId"),
        "SecurityGroupEgress": _rules(group["IpPermissionsEgress"], "DestinationSecurityGroupId"),
    }


def _rules(permissions: list[Mapping[str, Any]], peer: str) -> list[dict[str, Any]]:
    """Return EC2's permissions as a template has them: a rule for each peer."""
    return [
        {
            **{key: each[key] for key in ("IpProtocol", "FromPort", "ToPort") if each.get(key) is not None},
            name: one[key],
            **({"Description": one["Description"]} if one.get("Description") else {}),
        }
        for each in permissions
        for kind, key, name in (
            ("IpRanges", "CidrIp", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6", "CidrIpv6"),
            ("UserIdGroupPairs", "GroupId", peer),
        )
        for one in each.get(kind, ())
    ]
