"""Says who changed a parameter last: MiniStack names the root user of the account for every change.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterHistory.html
"""

import json
from collections.abc import Callable
from typing import Any

from local_aws.core.api import CALLER, Response
from local_aws.ministack.compat import require

ssm = require("services.ssm", "_describe_parameters", "_parameter_history", "_put_parameter")

Call = Callable[[dict[str, Any]], Response]


def patch_parameter_history(identity: Callable[[str], str]) -> None:
    """Keep the caller's ARN with each version; `identity` returns that of an access key's user or session."""
    put, describe = ssm._put_parameter, ssm._describe_parameters

    def put_parameter(data: dict[str, Any]) -> Response:
        answer: Response = put(data)
        # Without a caller, a stack that local_aws resumes changes it.
        if answer[0] == 200 and CALLER.get():
            ssm._parameter_history[data["Name"]][-1]["LastModifiedUser"] = identity(CALLER.get())
        return answer

    def describe_parameters(data: dict[str, Any]) -> Response:
        status, headers, body = describe(data)
        content = json.loads(body)
        for each in content.get("Parameters", ()):
            each["LastModifiedUser"] = ssm._parameter_history[each["Name"]][-1]["LastModifiedUser"]
        return status, headers, json.dumps(content).encode()

    ssm._put_parameter, ssm._describe_parameters = put_parameter, describe_parameters
