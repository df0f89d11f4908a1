"""Evaluates `Fn::Join` in a template's conditions, which MiniStack takes for a text that equals nothing.

With it, the CDK's bootstrap template has its AdministratorAccess, and not a policy without a name.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.ministack.compat import require
from local_aws.ministack.template_references import condition_violations

EVALUATING_MODULES = ("engine", "handlers", "changesets", "stacks")

Parameters = Mapping[str, Mapping[str, Any]]
Conditions = dict[str, bool]


def patch_conditions() -> None:
    """Evaluate `Fn::Join` wherever MiniStack evaluates conditions."""
    modules = [
        require(f"services.cloudformation.{name}", "_evaluate_conditions") for name in EVALUATING_MODULES
    ]
    evaluate = _joining(modules[0]._evaluate_conditions)
    for module in modules:
        module._evaluate_conditions = evaluate


def _joining(original: Callable[..., Conditions]) -> Callable[..., Conditions]:
    def evaluate(template: dict[str, Any], params: Parameters) -> Conditions:
        for violation in condition_violations(template):
            raise ValueError(violation)
        conditions = join(template.get("Conditions", {}), params)
        return original({**template, "Conditions": conditions}, params)

    return evaluate


def join(value: Any, params: Parameters) -> Any:
    """Return a part of a condition with each `Fn::Join` replaced by its text."""
    if isinstance(value, list):
        return [join(each, params) for each in value]
    if not isinstance(value, Mapping):
        return value
    if value.keys() != {"Fn::Join"}:
        return {key: join(each, params) for key, each in value.items()}
    separator, items = value["Fn::Join"]
    return str(separator).join(_texts(join(items, params), params))


def _texts(value: Any, params: Parameters) -> list[str]:
    """Return the texts of a list, or of a parameter that is a list."""
    if isinstance(value, list):
        return [text for each in value for text in _texts(each, params)]
    if isinstance(value, Mapping) and value.get("Ref") in params:
        # MiniStack keeps a list as one text.
        given = params[value["Ref"]]
        text, kind = str(given["Value"]), str(given.get("Type", ""))
        return [each.strip() for each in text.split(",")] if "List" in kind else [text]
    return [str(value)]
