"""Wrong calls of Elastic Load Balancing version 2, the operations of Application Load Balancers."""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
NO_BALANCER = f"{ARN}:loadbalancer/app/nope/0123456789abcdef"
NO_LISTENER = f"{ARN}:listener/app/nope/0123456789abcdef/0123456789abcdef"
NO_RULE = f"{ARN}:listener-rule/app/nope/0123456789abcdef/0123456789abcdef/0123456789abcdef"
NO_GROUP = f"{ARN}:targetgroup/nope/0123456789abcdef"
NO_TRUST_STORE = f"{ARN}:truststore/nope/0123456789abcdef"
NO_CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"
BALANCER = {"LoadBalancerArn": "$balancer"}
GROUP = {"TargetGroupArn": "$green"}
LISTENER = {"ListenerArn": "$listener"}
RULE = {"RuleArn": "$rule"}
FORWARD = [{"Type": "forward", "TargetGroupArn": "$blue"}]
NOWHERE = [{"Type": "forward", "TargetGroupArn": NO_GROUP}]
CONDITIONS = [{"Field": "path-pattern", "Values": ["/new"]}]
TARGETS = [{"Id": "10.0.0.10"}]
TAGS = [{"Key": "k", "Value": "v"}]
BAD_ATTRIBUTE = [{"Key": "no.such.attribute", "Value": "x"}]
CONFIGURATION = "InvalidConfigurationRequest"
TWICE = [*TAGS, *TAGS]
MANY_TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]


def _full(account: Account, balancer: str) -> Mapping[str, str]:
    """Create a listener with all its rules, and what does not fit a load balancer."""
    client = account.client("elbv2")
    red = client.create_target_group(
        Name="red", Protocol="HTTP", Port=80, VpcId=account.network, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    full = client.create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTP",
        Port=80,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": red}],
    )["Listeners"][0]["ListenerArn"]
    for number in range(1, 101):
        client.create_rule(
            ListenerArn=full,
            Priority=number,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{number}"]}],
            Actions=[{"Type": "forward", "TargetGroupArn": red}],
        )
    client.register_targets(
        TargetGroupArn=account.balancing["blue"], Targets=[{"Id": "10.0.0.11", "Port": 9}]
    )
    return {"red": red, "full": full, **_misfits(account)}


def _misfits(account: Account) -> Mapping[str, str]:
    """Create a third and a small subnet in the zone of the first, and a security group of another network."""
    ec2 = account.client("ec2")
    third = ec2.create_subnet(VpcId=account.network, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1a")[
        "Subnet"
    ]["SubnetId"]
    foreign = ec2.create_security_group(
        GroupName="foreign", Description="d", VpcId=ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    )["GroupId"]
    small = ec2.create_subnet(VpcId=account.network, CidrBlock="10.0.10.0/28", AvailabilityZone="us-east-1a")[
        "Subnet"
    ]["SubnetId"]
    for _ in range(4):
        ec2.create_network_interface(SubnetId=small)
    return {"small": small, "third": third, "foreign": foreign}


def prepare(account: Account) -> Mapping[str, Any]:
    """Create two rules and a second listener, and a second load balancer that is protected."""
    client = account.client("elbv2")
    rule = client.create_rule(
        ListenerArn=account.balancing["listener"],
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/old"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": account.balancing["blue"]}],
    )["Rules"][0]["RuleArn"]
    client.create_rule(
        ListenerArn=account.balancing["listener"],
        Priority=5,
        Conditions=[{"Field": "path-pattern", "Values": ["/other"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": account.balancing["blue"]}],
    )
    second = client.create_listener(
        LoadBalancerArn=account.balancing["balancer"],
        Protocol="HTTP",
        Port=8080,
        DefaultActions=[{"Type": "forward", "TargetGroupArn": account.balancing["blue"]}],
    )["Listeners"][0]["ListenerArn"]
    protected = client.create_load_balancer(Name="protected", Subnets=account.subnets)["LoadBalancers"][0]
    client.modify_load_balancer_attributes(
        LoadBalancerArn=protected["LoadBalancerArn"],
        Attributes=[{"Key": "deletion_protection.enabled", "Value": "true"}],
    )
    more = _full(account, protected["LoadBalancerArn"])
    rules = client.describe_rules(ListenerArn=account.balancing["listener"])["Rules"]
    default = next(each["RuleArn"] for each in rules if each["IsDefault"])
    names = {f"subnet{number}": subnet for number, subnet in enumerate(account.subnets)}
    return {
        **account.balancing,
        **names,
        **more,
        "network": account.network,
        "rule": rule,
        "default": default,
        "second": second,
        "protected": protected["LoadBalancerArn"],
    }


SUBNETS = {"Subnets": ["$subnet0", "$subnet1"]}
VALID: Mapping[str, Mapping[str, Any]] = {
    "AddTags": {"ResourceArns": ["$balancer"], "Tags": TAGS},
    "CreateListener": {**BALANCER, "Protocol": "HTTP", "Port": 81, "DefaultActions": FORWARD},
    "CreateLoadBalancer": {"Name": "new", **SUBNETS},
    "CreateRule": {**LISTENER, "Priority": 2, "Conditions": CONDITIONS, "Actions": FORWARD},
    "CreateTargetGroup": {
        "Name": "new",
        "Protocol": "HTTP",
        "Port": 80,
        "VpcId": "$network",
        "TargetType": "ip",
    },
    "DeleteListener": LISTENER,
    "DeleteLoadBalancer": BALANCER,
    "DeleteRule": RULE,
    "DeleteTargetGroup": GROUP,
    "DeregisterTargets": {**GROUP, "Targets": TARGETS},
    "DescribeListenerAttributes": LISTENER,
    "DescribeListeners": BALANCER,
    "DescribeLoadBalancerAttributes": BALANCER,
    "DescribeLoadBalancers": {},
    "DescribeRules": LISTENER,
    "DescribeTags": {"ResourceArns": ["$balancer"]},
    "DescribeTargetGroupAttributes": GROUP,
    "DescribeTargetGroups": {},
    "DescribeTargetHealth": GROUP,
    "ModifyListener": {**LISTENER, "DefaultActions": FORWARD},
    "ModifyListenerAttributes": {**LISTENER, "Attributes": BAD_ATTRIBUTE},
    "ModifyLoadBalancerAttributes": {
        **BALANCER,
        "Attributes": [{"Key": "idle_timeout.timeout_seconds", "Value": "60"}],
    },
    "ModifyRule": {**RULE, "Actions": FORWARD},
    "ModifyTargetGroup": GROUP,
    "ModifyTargetGroupAttributes": {
        **GROUP,
        "Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "5"}],
    },
    "RegisterTargets": {**GROUP, "Targets": TARGETS},
    "RemoveTags": {"ResourceArns": ["$balancer"], "TagKeys": ["k"]},
    "SetIpAddressType": {**BALANCER, "IpAddressType": "ipv4"},
    "SetRulePriorities": {"RulePriorities": [{"RuleArn": "$rule", "Priority": 3}]},
    "SetSecurityGroups": {**BALANCER, "SecurityGroups": ["sg-0123456789abcdef0"]},
    "SetSubnets": {**BALANCER, **SUBNETS},
}
WRONG = (
    Wrong("LoadBalancerArn", NO_BALANCER, "LoadBalancerNotFound", ("DeleteLoadBalancer",)),
    Wrong("LoadBalancerArns", [NO_BALANCER], "LoadBalancerNotFound"),
    Wrong("ListenerArn", NO_LISTENER, "ListenerNotFound"),
    Wrong("ListenerArns", [NO_LISTENER], "ListenerNotFound"),
    Wrong("RuleArn", NO_RULE, "RuleNotFound"),
    Wrong("RuleArn", "$default", "OperationNotPermitted", ("ModifyRule",)),
    Wrong("RuleArns", [NO_RULE], "RuleNotFound"),
    Wrong("TargetGroupArn", NO_GROUP, "TargetGroupNotFound"),
    Wrong("TargetGroupArn", "$blue", "ResourceInUse"),
    Wrong("TargetGroupArns", [NO_GROUP], "TargetGroupNotFound"),
    Wrong("ResourceArns", [NO_BALANCER], "LoadBalancerNotFound"),
    Wrong("ResourceArns", [NO_GROUP], "TargetGroupNotFound"),
    Wrong("ResourceArns", [NO_LISTENER], "ListenerNotFound"),
    Wrong("ResourceArns", [NO_RULE], "RuleNotFound"),
    Wrong("ResourceArns", [NO_TRUST_STORE], "TrustStoreNotFound"),
    Wrong("MutualAuthentication", {"Mode": "verify", "TrustStoreArn": NO_TRUST_STORE}, "TrustStoreNotFound"),
    Wrong("Tags", TWICE, "DuplicateTagKeys"),
    Wrong("Tags", MANY_TAGS, "TooManyTags"),
    Wrong("TagKeys", [f"k{number}" for number in range(51)], "TooManyTags"),
    Wrong("Port", 80, "DuplicateListener", ("ModifyListener",)),
    Wrong("DefaultActions", NOWHERE, "TargetGroupNotFound"),
    Wrong("Actions", NOWHERE, "TargetGroupNotFound"),
    Wrong("Priority", 1, "PriorityInUse"),
    Wrong("Subnets", ["$subnet0", "subnet-0123456789abcdef0"], "SubnetNotFound"),
    Wrong("SecurityGroups", ["sg-0123456789abcdef0"], "InvalidSecurityGroup"),
)
LOOP = [{"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}]
RED = [{"Type": "forward", "TargetGroupArn": "$red"}]
LOGS = [
    {"Key": "access_logs.s3.enabled", "Value": "true"},
    {"Key": "access_logs.s3.bucket", "Value": "no-such-bucket"},
]
HTTPS = {"Protocol": "HTTPS", "Port": 443, "Certificates": [{"CertificateArn": NO_CERTIFICATE}]}
GROUP_ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/group/000000000000000"
SIX_GROUPS = [
    {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": [{"TargetGroupArn": f"{GROUP_ARN}{number}"} for number in range(6)]
        },
    }
]
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("CreateListener", HTTPS, "CertificateNotFound"),
    ("ModifyListener", HTTPS, "CertificateNotFound"),
    ("CreateLoadBalancer", {"Name": "front", "Scheme": "internal"}, "DuplicateLoadBalancerName"),
    ("CreateTargetGroup", {"Name": "blue", "Port": 81}, "DuplicateTargetGroupName"),
    (
        "SetRulePriorities",
        {"RulePriorities": [{"RuleArn": NO_RULE, "Priority": 3}]},
        "RuleNotFound",
    ),
    ("SetRulePriorities", {"RulePriorities": [{"RuleArn": "$rule", "Priority": 5}]}, "PriorityInUse"),
    (
        "SetRulePriorities",
        {"RulePriorities": [{"RuleArn": "$default", "Priority": 9}]},
        "OperationNotPermitted",
    ),
    ("ModifyListener", {"ListenerArn": "$second", "Port": 80}, "DuplicateListener"),
    ("DeleteLoadBalancer", {"LoadBalancerArn": "$protected"}, "OperationNotPermitted"),
    ("CreateListener", {"LoadBalancerArn": "$protected"}, "TargetGroupAssociationLimit"),
    ("CreateListener", {**HTTPS, "SslPolicy": "nope"}, "SSLPolicyNotFound"),
    ("ModifyListener", {**HTTPS, "SslPolicy": "nope"}, "SSLPolicyNotFound"),
    ("CreateRule", {"Actions": RED}, "TargetGroupAssociationLimit"),
    ("ModifyRule", {"Actions": RED}, "TargetGroupAssociationLimit"),
    ("ModifyListener", {"DefaultActions": RED}, "TargetGroupAssociationLimit"),
    *(
        (operation, {member: SIX_GROUPS}, "TooManyUniqueTargetGroupsPerLoadBalancer")
        for operation, member in (
            ("CreateListener", "DefaultActions"),
            ("ModifyListener", "DefaultActions"),
            ("CreateRule", "Actions"),
            ("ModifyRule", "Actions"),
        )
    ),
    ("CreateListener", {"DefaultActions": LOOP}, "InvalidLoadBalancerAction"),
    ("ModifyListener", {"DefaultActions": LOOP}, "InvalidLoadBalancerAction"),
    ("CreateRule", {"Actions": LOOP}, "InvalidLoadBalancerAction"),
    ("ModifyRule", {"Actions": LOOP}, "InvalidLoadBalancerAction"),
    ("CreateRule", {"ListenerArn": "$full", "Priority": 200, "Actions": RED}, "TooManyRules"),
    ("CreateLoadBalancer", {"Subnets": ["$subnet0", "$subnet1", "$third"]}, CONFIGURATION),
    ("SetSubnets", {"Subnets": ["$subnet0", "$subnet1", "$third"]}, CONFIGURATION),
    ("CreateLoadBalancer", {"Subnets": ["$small", "$subnet1"]}, "InvalidSubnet"),
    ("SetSubnets", {"Subnets": ["$small", "$subnet1"]}, "InvalidSubnet"),
    ("SetSecurityGroups", {"SecurityGroups": ["$foreign"]}, CONFIGURATION),
    ("ModifyLoadBalancerAttributes", {"Attributes": LOGS}, CONFIGURATION),
    ("ModifyRule", {"RuleArn": "$default", "Conditions": CONDITIONS}, "OperationNotPermitted"),
)
SUITE = Suite("elbv2", tuple(VALID), VALID, WRONG, CHANGES, prepare)
