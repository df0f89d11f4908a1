"""Fails a stack whose export has the name of another one, which MiniStack replaces.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html
"""

from collections.abc import Mapping
from typing import Any

from local_aws.ministack.compat import require

cloudformation = require("services.cloudformation", "_exports", "_stacks")
stacks = require("services.cloudformation.stacks", "_resolve_stack_outputs")


def patch_stack_exports() -> None:
    """Check the exports of a stack after its resources were created, as CloudFormation does."""
    original = stacks._resolve_stack_outputs

    def resolve(*given: Any) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
        outputs, exports = original(*given)
        check_exports(outputs, exports, cloudformation._exports)
        return outputs, exports

    stacks._resolve_stack_outputs = resolve


def check_exports(
    outputs: list[Mapping[str, Any]], own: Mapping[str, Any], existing: Mapping[str, Any]
) -> None:
    """Raise ValueError for an export that two outputs have, or that another stack has."""
    names = [output["ExportName"] for output in outputs if "ExportName" in output]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"Duplicate Export name {name} in the Outputs block of the template.")
        other = existing.get(name)
        if other is not None and other["StackId"] != own[name]["StackId"]:
            stack = str(other["StackId"]).split("/")[1]
            raise ValueError(f"Export with name {name} is already exported by stack {stack}.")
