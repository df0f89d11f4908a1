"""Pages of a long answer, by the model that botocore's paginators follow."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.model import OperationModel

from local_aws.core.clients import SESSION

# How many an answer has where nobody asks for fewer; AWS's services say 100, or do not say.
MOST = 100
# What a token that no answer gave is refused with, and a size that cannot be.
REFUSALS = (
    "InvalidNextTokenException",
    "InvalidContinuationTokenException",
    "InvalidPaginationTokenException",
    "InvalidInputException",
    "InvalidParameterException",
    "IllegalArgumentException",
)


class PageError(ValueError):
    """A page that cannot be; `code` is the first of REFUSALS that the operation declares."""

    def __init__(self, operation: OperationModel, words: str) -> None:
        super().__init__(words)
        declared = {shape.name for shape in operation.error_shapes}
        self.code = next((code for code in REFUSALS if code in declared), "ValidationException")


@cache
def pagination(service: str) -> Mapping[str, Mapping[str, Any]]:
    """Return botocore's paginators of a service: what an operation's tokens, limit and items are called."""
    loader = SESSION.get_component("data_loader")
    found: Mapping[str, Mapping[str, Any]] = loader.load_service_model(service, "paginators-1")["pagination"]
    return found


def page(
    service: str, operation: OperationModel, params: Mapping[str, Any], answer: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the page of a whole answer that `params` ask for. Raises `PageError`."""
    names = pagination(service).get(operation.name)
    if names is None or not isinstance(names["result_key"], str):
        return dict(answer)
    items = answer.get(names["result_key"], [])
    token = str(params.get(names["input_token"], "0"))
    if not (token.isascii() and token.isdigit()) or int(token) > len(items):
        raise PageError(operation, "The next token was specified in an invalid format")
    limit = int(params.get(names.get("limit_key", ""), MOST))
    # Some models have no limits for it: ECS's, and that of CodeCommit's GetDifferences.
    if limit < 1:
        raise PageError(operation, f"{names['limit_key']} is {limit}, and must be 1 at least")
    last = int(token) + limit
    one = {**answer, names["result_key"]: items[int(token) : last]}
    return {**one, names["output_token"]: str(last)} if last < len(items) else one
