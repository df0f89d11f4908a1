"""A Lambda function's network: a VPC that exists, and load balancers under their own names."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.context import Context
from local_aws.ministack.compat import require

lambda_svc = require("services.lambda_svc", "_functions", "_vpc_config_with_id")
runtime = require("core.lambda_runtime", "execution_credentials")


def install_types() -> None:
    """Let CloudFormation's functions stand in a VPC. Call it before their properties are watched."""
    handlers = require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")._RESOURCE_HANDLERS
    handler = handlers["AWS::Lambda::Function"]
    handlers["AWS::Lambda::Function"] = {
        **handler,
        "create": _create(handler["create"]),
        "update": _update(handler["update"]),
    }


def install(context: Context) -> None:
    """Let every function find load balancers. Call it once functions have their credentials."""
    credentials = runtime.execution_credentials
    runtime.execution_credentials = lambda config: {
        **credentials(config),
        **environment(context.endpoint, config),
    }


def environment(endpoint: str, config: Mapping[str, Any]) -> dict[str, str]:
    """Return what the runtime adds to a function's own variables.

    A load balancer's name is known to our gateway alone, so that is the proxy of a function's requests: it
    stands for a resolver, and passes them on to listeners only.
    """
    way_out = {"http_proxy": endpoint, "no_proxy": "127.0.0.1,localhost"}
    return {
        **way_out,
        **{name.upper(): value for name, value in way_out.items()},
        "AWS_LAMBDA_LOG_GROUP_NAME": config["LoggingConfig"]["LogGroup"],
    }


def _create(original: Callable[..., tuple[str, dict[str, Any]]]) -> Callable[..., tuple[str, dict[str, Any]]]:
    def create(logical_id: str, props: Mapping[str, Any], stack: str) -> tuple[str, dict[str, Any]]:
        network = _network(props)
        name, attributes = original(logical_id, props, stack)
        lambda_svc._functions[name]["config"]["VpcConfig"] = network
        return name, attributes

    return create


def _update(original: Callable[..., tuple[str, dict[str, Any]]]) -> Callable[..., tuple[str, dict[str, Any]]]:
    def update(
        physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *rest: str
    ) -> tuple[str, dict[str, Any]]:
        network = _network(new)
        name, attributes = original(physical_id, old, new, *rest)
        lambda_svc._functions[name]["config"]["VpcConfig"] = network
        return name, attributes

    return update


def _network(props: Mapping[str, Any]) -> dict[str, Any]:
    """Return the function's VPC configuration; refuse, as Lambda does, subnets that are not in one VPC."""
    given = props.get("VpcConfig") or {}
    asked = {key: list(given.get(key, [])) for key in ("SubnetIds", "SecurityGroupIds")}
    network: dict[str, Any] = lambda_svc._vpc_config_with_id(asked)
    if asked["SubnetIds"] and not network["VpcId"]:
        raise ValueError(f"InvalidParameterValueException: no VPC has the subnets {asked['SubnetIds']}")
    return network
