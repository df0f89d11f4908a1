"""Refuses AWS's public parameters by name: MiniStack invents two, and says of the others that AWS has none.

https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-public-parameters.html
"""

from collections.abc import Callable
from typing import Any

from local_aws.core.api import Response
from local_aws.ministack.compat import require

ssm = require("services.ssm", "_get_parameter", "_get_parameters", "_get_parameters_by_path")
responses = require("core.responses", "error_response_json")
PUBLIC = "/aws/service/"

Call = Callable[[dict[str, Any]], Response]


def patch_public_parameters() -> None:
    """Let the operations that read parameters answer UnsupportedOperation for public ones."""
    ssm._get_parameter = _refusing(ssm._get_parameter, lambda data: [data.get("Name", "")])
    ssm._get_parameters = _refusing(ssm._get_parameters, lambda data: data.get("Names", []))
    ssm._get_parameters_by_path = _refusing(
        ssm._get_parameters_by_path, lambda data: [f"{data.get('Path', '')}/"]
    )


def _refusing(original: Call, names: Callable[[dict[str, Any]], list[str]]) -> Call:
    def read(data: dict[str, Any]) -> Response:
        public = next((name for name in names(data) if _is_public(str(name))), None)
        if public is None:
            return original(data)
        message = f"local_aws does not have the public parameter {public.rstrip('/')}"
        answer: Response = responses.error_response_json("UnsupportedOperation", message, 501)
        return answer

    return read


def _is_public(name: str) -> bool:
    # An ARN of a public parameter has no account.
    return name.startswith(PUBLIC) or "::parameter/aws/service/" in name
