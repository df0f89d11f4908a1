"""CloudFormation's AWS::ElasticLoadBalancingV2 resource types, on the ELBv2 API."""

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.cloudformation import Properties, ResourceType, arguments
from local_aws.core.context import Context

PREFIX = "AWS::ElasticLoadBalancingV2::"
# Properties that need an API call of their own after the create call.
LATER = ("LoadBalancerAttributes", "TargetGroupAttributes", "ListenerAttributes", "Targets")


def resource_types(context: Context) -> dict[str, ResourceType]:
    """Return the types of load balancers, target groups, listeners and rules."""
    types = ElbResourceTypes(context)
    return {
        f"{PREFIX}LoadBalancer": ResourceType(
            types.create_load_balancer,
            types.delete("delete_load_balancer", "LoadBalancerArn", "LoadBalancerNotFound"),
            types.update_load_balancer,
            frozenset({"Name", "Scheme", "Type"}),
        ),
        f"{PREFIX}TargetGroup": ResourceType(
            types.create_target_group,
            types.delete("delete_target_group", "TargetGroupArn", "TargetGroupNotFound"),
            types.update_target_group,
            frozenset(
                {"Name", "Port", "Protocol", "ProtocolVersion", "TargetType", "VpcId", "IpAddressType"}
            ),
        ),
        f"{PREFIX}Listener": ResourceType(
            types.create_listener,
            types.delete("delete_listener", "ListenerArn", "ListenerNotFound"),
            types.update_listener,
            frozenset({"LoadBalancerArn"}),
        ),
        f"{PREFIX}ListenerRule": ResourceType(
            types.create_rule,
            types.delete("delete_rule", "RuleArn", "RuleNotFound"),
            types.update_rule,
            frozenset({"ListenerArn"}),
        ),
    }


class ElbResourceTypes:
    """The handlers of load balancers, target groups, listeners and rules."""

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def client(self) -> Any:
        """Return the elbv2 client."""
        return self.context.client("elbv2")

    def delete(self, call: str, key: str, not_found: str) -> Callable[[str, Properties], None]:
        """Return a delete handler that ignores the error code `not_found`."""

        def delete(physical_id: str, _: Properties) -> None:
            try:
                getattr(self.client, call)(**{key: physical_id})
            except ClientError as error:
                if error.response["Error"]["Code"] != not_found:
                    raise

        return delete

    def create_load_balancer(
        self, properties: Properties, logical_id: str, stack: str
    ) -> tuple[str, dict[str, Any]]:
        given = {"Name": _name(stack, logical_id), **_without(properties, LATER)}
        answer = self.client.create_load_balancer(**arguments("elbv2", "CreateLoadBalancer", given))
        arn = answer["LoadBalancers"][0]["LoadBalancerArn"]
        self._or_delete(
            arn, "delete_load_balancer", "LoadBalancerArn", self._load_balancer_attributes, properties
        )
        return arn, self._describe_load_balancer(arn)

    def update_load_balancer(self, arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        if _changed(old, new, "SecurityGroups"):
            self.client.set_security_groups(LoadBalancerArn=arn, SecurityGroups=list(new["SecurityGroups"]))
        if _changed(old, new, "Subnets", "SubnetMappings"):
            subnets = arguments("elbv2", "SetSubnets", _only(new, ("Subnets", "SubnetMappings")))
            self.client.set_subnets(LoadBalancerArn=arn, **subnets)
        if _changed(old, new, "IpAddressType"):
            kind = new.get("IpAddressType", "ipv4")
            self.client.set_ip_address_type(LoadBalancerArn=arn, IpAddressType=kind)
        self._load_balancer_attributes(arn, new)
        self._tag(arn, old, new)
        return self._describe_load_balancer(arn)

    def create_target_group(
        self, properties: Properties, logical_id: str, stack: str
    ) -> tuple[str, dict[str, Any]]:
        given = {"Name": _name(stack, logical_id), **_without(properties, LATER)}
        answer = self.client.create_target_group(**arguments("elbv2", "CreateTargetGroup", given))
        arn = answer["TargetGroups"][0]["TargetGroupArn"]
        self._or_delete(arn, "delete_target_group", "TargetGroupArn", self._target_group_settings, properties)
        return arn, self._describe_target_group(arn)

    def update_target_group(self, arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        checks = {key: value for key, value in new.items() if key.startswith("Health") or key == "Matcher"}
        checks |= _only(new, ("UnhealthyThresholdCount",))
        if checks:
            changes = arguments("elbv2", "ModifyTargetGroup", checks)
            self.client.modify_target_group(TargetGroupArn=arn, **changes)
        self._target_group_settings(arn, new)
        self._tag(arn, old, new)
        return self._describe_target_group(arn)

    def create_listener(self, properties: Properties, _: str, __: str) -> tuple[str, dict[str, Any]]:
        given = arguments("elbv2", "CreateListener", _without(properties, LATER))
        arn = self.client.create_listener(**given)["Listeners"][0]["ListenerArn"]
        self._or_delete(arn, "delete_listener", "ListenerArn", self._listener_attributes, properties)
        return arn, {"ListenerArn": arn}

    def update_listener(self, arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        given = _without(new, (*LATER, "Tags", "LoadBalancerArn"))
        self.client.modify_listener(ListenerArn=arn, **arguments("elbv2", "ModifyListener", given))
        self._listener_attributes(arn, new)
        self._tag(arn, old, new)
        return {"ListenerArn": arn}

    def create_rule(self, properties: Properties, _: str, __: str) -> tuple[str, dict[str, Any]]:
        answer = self.client.create_rule(**arguments("elbv2", "CreateRule", properties))
        arn = answer["Rules"][0]["RuleArn"]
        return arn, {"RuleArn": arn, "IsDefault": False}

    def update_rule(self, arn: str, old: Properties, new: Properties) -> dict[str, Any]:
        given = _without(new, ("ListenerArn", "Priority", "Tags"))
        self.client.modify_rule(RuleArn=arn, **arguments("elbv2", "ModifyRule", given))
        if _changed(old, new, "Priority"):
            priority = [{"RuleArn": arn, "Priority": int(new["Priority"])}]
            self.client.set_rule_priorities(RulePriorities=priority)
        self._tag(arn, old, new)
        return {"RuleArn": arn, "IsDefault": False}

    def _or_delete(
        self,
        arn: str,
        delete: str,
        key: str,
        settings: Callable[[str, Properties], None],
        properties: Properties,
    ) -> None:
        """Apply the later settings; delete the resource when AWS refuses one of them."""
        try:
            settings(arn, properties)
        except Exception:
            getattr(self.client, delete)(**{key: arn})
            raise

    def _load_balancer_attributes(self, arn: str, properties: Properties) -> None:
        self._attributes("ModifyLoadBalancerAttributes", "LoadBalancerArn", arn, properties, LATER[0])

    def _listener_attributes(self, arn: str, properties: Properties) -> None:
        self._attributes("ModifyListenerAttributes", "ListenerArn", arn, properties, LATER[2])

    def _target_group_settings(self, arn: str, properties: Properties) -> None:
        self._attributes("ModifyTargetGroupAttributes", "TargetGroupArn", arn, properties, LATER[1])
        if properties.get("Targets"):
            targets = arguments("elbv2", "RegisterTargets", {"Targets": properties["Targets"]})
            self.client.register_targets(TargetGroupArn=arn, **targets)

    def _attributes(self, operation: str, key: str, arn: str, properties: Properties, name: str) -> None:
        if properties.get(name):
            given = arguments("elbv2", operation, {"Attributes": properties[name]})
            method = {
                "ModifyLoadBalancerAttributes": self.client.modify_load_balancer_attributes,
                "ModifyTargetGroupAttributes": self.client.modify_target_group_attributes,
                "ModifyListenerAttributes": self.client.modify_listener_attributes,
            }[operation]
            method(**{key: arn}, **given)

    def _describe_load_balancer(self, arn: str) -> dict[str, Any]:
        found = self.client.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
        return {
            "LoadBalancerArn": arn,
            "LoadBalancerName": found["LoadBalancerName"],
            "LoadBalancerFullName": arn.rpartition(":loadbalancer/")[2],
            "DNSName": found["DNSName"],
            "CanonicalHostedZoneID": found["CanonicalHostedZoneId"],
            "SecurityGroups": found.get("SecurityGroups", []),
        }

    def _describe_target_group(self, arn: str) -> dict[str, Any]:
        found = self.client.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"][0]
        return {
            "TargetGroupArn": arn,
            "TargetGroupName": found["TargetGroupName"],
            "TargetGroupFullName": arn.rpartition(":")[2],
            "LoadBalancerArns": found.get("LoadBalancerArns", []),
        }

    def _tag(self, arn: str, old: Properties, new: Properties) -> None:
        before, after = _tags(old), _tags(new)
        removed = [key for key in before if key not in after]
        if removed:
            self.client.remove_tags(ResourceArns=[arn], TagKeys=removed)
        if after and after != before:
            tags = [{"Key": key, "Value": value} for key, value in after.items()]
            self.client.add_tags(ResourceArns=[arn], Tags=tags)


def _name(stack: str, logical_id: str) -> str:
    # CloudFormation's pattern for names of up to 32 characters.
    return f"{stack[:6]}-{logical_id[:6]}-{secrets.token_hex(6).upper()}"


def _tags(properties: Properties) -> dict[str, str]:
    return {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags") or []}


def _without(properties: Properties, names: Iterable[str]) -> Mapping[str, Any]:
    return {key: value for key, value in properties.items() if key not in names}


def _only(properties: Properties, names: Iterable[str]) -> dict[str, Any]:
    return {name: properties[name] for name in names if name in properties}


def _changed(old: Properties, new: Properties, *names: str) -> bool:
    return any(old.get(name) != new.get(name) for name in names)
