"""Puts the event "Parameter Store Change" on the default bus for each parameter that a call changes.

https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html#SSM-Parameter-Store-event-types
"""

from collections.abc import Callable
from typing import Any

from local_aws import ministack
from local_aws.ministack.compat import require

ssm = require("services.ssm", "_delete_parameter", "_delete_parameters", "_parameters", "_put_parameter")

Parameter = dict[str, Any]
Call = Callable[[dict[str, Any]], Any]


def patch_parameter_events() -> None:
    """Send the events of calls and of stacks. A label is no change of the parameter here: it sends none."""
    for name in ("_put_parameter", "_delete_parameter", "_delete_parameters"):
        setattr(ssm, name, _announced(getattr(ssm, name)))


def _announced(original: Call) -> Call:
    def call(data: dict[str, Any]) -> Any:
        names = [data.get("Name"), *(data.get("Names") or ())]
        before = {name: ssm._parameters.get(name) for name in names if isinstance(name, str)}
        answer = original(data)
        for name, former in before.items():
            _announce(former, ssm._parameters.get(name))
        return answer

    return call


def _announce(former: Parameter | None, current: Parameter | None) -> None:
    # A call that is refused leaves the record, and a change replaces it.
    if former is current:
        return
    operation = "Create" if former is None else "Delete" if current is None else "Update"
    parameter = current or former or {}
    detail = {"operation": operation, "name": parameter["Name"], "type": parameter["Type"]}
    if parameter["Description"]:
        detail["description"] = parameter["Description"]
    arn = parameter["ARN"]
    ministack.emit_event(ministack.current_account(), "aws.ssm", "Parameter Store Change", [arn], detail)
