"""The network of Lambda functions: an existing VPC, and load balancers by their DNS names."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.core.context import Context
from local_aws.ministack.compat import require
from local_aws.ministack.function_states import FunctionStates
from local_aws.ministack.handlers import Created, patch_handler, resource_handlers

FUNCTION = "AWS::Lambda::Function"

lambda_svc = require("services.lambda_svc", "_functions", "_vpc_config_with_id")
runtime = require("core.lambda_runtime", "execution_credentials")


def patch_function_vpc(states: FunctionStates) -> None:
    """Let CloudFormation set a function's VPC. Call it before `patch_property_checks`."""
    handler = resource_handlers()[FUNCTION]
    patch_handler(
        FUNCTION, create=_create(handler["create"], states), update=_update(handler["update"], states)
    )


def patch_function_proxy(context: Context) -> None:
    """Let every function reach load balancers. Call it after `patch_function_credentials`."""
    credentials = runtime.execution_credentials
    runtime.execution_credentials = lambda config: {
        **credentials(config),
        **environment(context.endpoint, config),
    }


def environment(endpoint: str, config: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables that the runtime adds to a function's own.

    Only our gateway resolves a load balancer's DNS name, so a function uses it as its HTTP proxy. The gateway
    forwards these requests to listeners only.
    """
    proxy = {"http_proxy": endpoint, "no_proxy": "127.0.0.1,localhost"}
    return {
        **proxy,
        **{name.upper(): value for name, value in proxy.items()},
        "AWS_LAMBDA_LOG_GROUP_NAME": config["LoggingConfig"]["LogGroup"],
    }


def _create(original: Callable[..., Created], states: FunctionStates) -> Callable[..., Created]:
    def create(logical_id: str, props: Properties, stack: str) -> Created:
        vpc_config = _vpc_config(props)
        name, attributes = original(logical_id, props, stack)
        lambda_svc._functions[name]["config"]["VpcConfig"] = vpc_config
        states.touch(name)
        return name, attributes

    return create


def _update(original: Callable[..., Created], states: FunctionStates) -> Callable[..., Created]:
    def update(physical_id: str, old: Properties, new: Properties, *rest: str) -> Created:
        vpc_config = _vpc_config(new)
        name, attributes = original(physical_id, old, new, *rest)
        lambda_svc._functions[name]["config"]["VpcConfig"] = vpc_config
        states.touch(name)
        return name, attributes

    return update


def _vpc_config(props: Properties) -> dict[str, Any]:
    """Return a function's VPC configuration. As in Lambda, all subnets must be in one VPC."""
    given = props.get("VpcConfig") or {}
    requested = {key: list(given.get(key, [])) for key in ("SubnetIds", "SecurityGroupIds")}
    vpc_config: dict[str, Any] = lambda_svc._vpc_config_with_id(requested)
    if requested["SubnetIds"] and not vpc_config["VpcId"]:
        raise ValueError(f"InvalidParameterValueException: no VPC has the subnets {requested['SubnetIds']}")
    return vpc_config
