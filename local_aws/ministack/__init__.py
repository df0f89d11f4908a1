"""The adapter of MiniStack: only this package uses its private names, and checks that they exist."""

import importlib.metadata
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ParamSpec, TypeVar

from local_aws.core.api import CALLER, Response, service_model
from local_aws.core.cloudformation import Properties, ResourceType
from local_aws.ministack.compat import require

VERSION = "1.5.33"
P = ParamSpec("P")
R = TypeVar("R")
Handle = Callable[..., Awaitable[Response]]


def check_version() -> None:
    """Raise `RuntimeError` unless the installed MiniStack has the required version.

    Imports MiniStack, which reads its environment at import.
    """
    installed = importlib.metadata.version("ministack")
    if installed != VERSION:
        raise RuntimeError(
            f"MiniStack {installed} is installed, local_aws requires {VERSION}: run `make setup`"
        )
    require("app", "SERVICE_HANDLERS", "app")
    require("core.router", "SERVICE_PATTERNS")
    require("core.responses", "get_account_id", "request_scope")
    require("services.eventbridge", "_apply_input_transformer", "_invoke_target", "_put_events")
    require("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
    require("services.cloudformation.stacks", "_runs_on_worker_thread")


def current_account() -> str:
    """Return the account of the current request or stack operation; else the first account."""
    from ministack.core import responses

    return str(responses.get_account_id())


def register_service(service: str, handle: Handle) -> None:
    """Route a service's requests to `handle`, in place of MiniStack's own service if it has one."""
    from ministack import app
    from ministack.core import router

    prefix = service_model(service).metadata["targetPrefix"]
    router.SERVICE_PATTERNS[service] = {
        "target_prefixes": [prefix + "."],
        "host_patterns": [],
        "credential_scope": service,
    }
    app.SERVICE_HANDLERS[service] = handle


def register_types(types: Mapping[str, ResourceType]) -> None:
    """Add resource types to CloudFormation, in place of MiniStack's handlers if it has them."""
    from ministack.services.cloudformation import provisioners, stacks

    # MiniStack reads its environment at import: not before the server has set it.
    from local_aws.ministack import stores, supported_types

    supported_types.OURS.update(types)
    for name, resource_type in types.items():
        provisioners._RESOURCE_HANDLERS[name] = _handler(resource_type)
    # A handler calls the endpoint: on the event loop it would wait for itself.
    stacks._runs_on_worker_thread = lambda _type: True
    stores.patch_store_readers()


def _as_cloudformation(act: Callable[P, R]) -> Callable[P, R]:
    """Let `act` run for no caller: CloudFormation may do everything.

    A connection keeps the caller of an earlier request to another service, and a stack is created in its
    context.
    """

    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        token = CALLER.set("")
        try:
            return act(*args, **kwargs)
        finally:
            CALLER.reset(token)

    return run


def _handler(resource_type: ResourceType) -> dict[str, Any]:
    def create(logical_id: str, props: Properties, stack: str) -> tuple[str, dict[str, Any]]:
        return resource_type.create(props, logical_id, stack)

    def update(
        physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str
    ) -> tuple[str, dict[str, Any]]:
        changed = {key for key in {*old, *new} if old.get(key) != new.get(key)}
        if resource_type.update is None or changed & resource_type.replaced_by:
            # The engine deletes the old one after the whole update: until then it can roll back.
            return resource_type.create(new, logical_id, stack)
        return physical_id, resource_type.update(physical_id, old, new)

    return {
        "create": _as_cloudformation(create),
        "update": _as_cloudformation(update),
        "update_with_logical_id": True,
        "delete": _as_cloudformation(resource_type.delete),
    }


def emit_event(
    account: str, source: str, detail_type: str, resources: list[str], detail: dict[str, Any]
) -> None:
    """Put an event of an AWS service (`aws.codebuild`...) on an account's bus. PutEvents rejects these."""
    from ministack.core import responses
    from ministack.services import eventbridge

    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Resources": resources,
        "Detail": json.dumps(detail, default=str),
    }
    with responses.request_scope(account, responses.get_region()):
        status, _, body = eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)
    result = json.loads(body)
    if status != 200 or result["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge refused the event {detail_type!r} of {source}: {result}")


def route_event_targets(service: str, deliver: Callable[[str, dict[str, Any]], None]) -> None:
    """Pass events for targets of `service` (as `codepipeline`) to `deliver(target_arn, target)`.

    The target has the rule's ARN as `RuleArn` and its own input, if it has one, as `Payload`. `deliver` must
    return at once: it may run on the event loop, where a call to the endpoint would wait for itself. An
    exception becomes a background error.
    """
    from ministack.services import eventbridge

    original = eventbridge._invoke_target

    def invoke(target: dict[str, Any], event: dict[str, Any], rule: Any, view: Any = None) -> None:
        arn = target.get("Arn", "")
        if arn.split(":")[2:3] != [service]:
            original(target, event, rule, view)
            return
        try:
            payload = target.get("Input", "")
            if target.get("InputTransformer"):
                event_view = view or eventbridge._pattern_event_view(event)
                payload = eventbridge._apply_input_transformer(target["InputTransformer"], rule, event_view)
            deliver(arn, {**target, "RuleArn": rule.get("Arn", ""), "Payload": payload})
        except Exception as error:
            # As for MiniStack's own targets: if one fails, the others still get the event.
            eventbridge.logger.exception("EventBridge target dispatch error for %s: %s", arn, error)

    eventbridge._invoke_target = invoke
