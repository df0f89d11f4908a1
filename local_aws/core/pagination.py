"""Pagination of a list in a response, by the model that botocore's paginators use."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.model import OperationModel

from local_aws.core.clients import SESSION

# Items on a page when the request sets no limit; AWS's services document 100, or nothing.
DEFAULT_PAGE_SIZE = 100
# The errors for an unknown token or an invalid page size, by preference.
ERROR_CODES = (
    "InvalidNextTokenException",
    "InvalidContinuationTokenException",
    "InvalidPaginationTokenException",
    "InvalidInputException",
    "InvalidParameterException",
    "IllegalArgumentException",
)
# Lists with tokens that botocore has no paginator for.
_TEMPLATE_NAMES = {
    "input_token": "nextToken",
    "output_token": "nextToken",
    "limit_key": "maxResults",
    "result_key": "approvalRuleTemplateNames",
}
OWN: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("codecommit", "ListApprovalRuleTemplates"): _TEMPLATE_NAMES,
    ("codecommit", "ListAssociatedApprovalRuleTemplatesForRepository"): _TEMPLATE_NAMES,
}


class PaginationError(ValueError):
    """An invalid token or page size. `code` is the first of `codes` that the operation declares."""

    def __init__(self, operation: OperationModel, message: str, codes: tuple[str, ...] = ERROR_CODES) -> None:
        super().__init__(message)
        declared = {shape.name for shape in operation.error_shapes}
        self.code = next((code for code in codes if code in declared), "ValidationException")


@cache
def paginators(service: str) -> Mapping[str, Mapping[str, Any]]:
    """Return botocore's paginators of a service: the names of an operation's tokens, limit and items."""
    loader = SESSION.get_component("data_loader")
    found: Mapping[str, Mapping[str, Any]] = loader.load_service_model(service, "paginators-1")["pagination"]
    return found


def _names(service: str, operation: str) -> Mapping[str, Any] | None:
    return OWN.get((service, operation)) or paginators(service).get(operation)


def paginate(
    service: str, operation: OperationModel, params: Mapping[str, Any], output: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the page of a whole `output` that `params` select. Raises `PaginationError`."""
    names = _names(service, operation.name)
    if names is None or not isinstance(names["result_key"], str):
        return dict(output)
    items = output.get(names["result_key"], [])
    token = str(params.get(names["input_token"], "0"))
    if not (token.isascii() and token.isdigit()) or int(token) > len(items):
        raise PaginationError(operation, "The next token was specified in an invalid format")
    limit = int(params.get(names.get("limit_key", ""), DEFAULT_PAGE_SIZE))
    # Some models set no bounds: ECS's, and CodeCommit's for GetDifferences.
    if limit < 1:
        message = f"{names['limit_key']} is {limit}, and must be 1 at least"
        raise PaginationError(operation, message, ("InvalidMaxResultsException", *ERROR_CODES))
    last = int(token) + limit
    page = {**output, names["result_key"]: items[int(token) : last]}
    return {**page, names["output_token"]: str(last)} if last < len(items) else page
