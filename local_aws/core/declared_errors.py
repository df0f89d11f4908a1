"""The error codes that CodeCommit and CodeDeploy declare for single members of their inputs.

Both answer a missing or invalid member with a code of its own (`CommitIdRequiredException`), which botocore's
model lists with its documentation for each operation:
https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetCommit.html#API_GetCommit_Errors
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_GetDeployment.html#API_GetDeployment_Errors
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import ListShape, OperationModel, Shape, StructureShape

SERVICES = frozenset({"codecommit", "codedeploy"})
# The formats of values for which the models have no pattern, by service and shape.
# https://docs.aws.amazon.com/codecommit/latest/APIReference/API_GetCommit.html ("full SHA ID")
# https://docs.aws.amazon.com/codecommit/latest/userguide/auth-and-access-control-iam-access-control-identity-based.html#arn-formats
PATTERNS: Mapping[tuple[str, str], str] = {
    ("codecommit", "CommitId"): "[0-9a-f]{40}",
    ("codecommit", "ObjectId"): "[0-9a-f]{40}",
    # https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-create-pull-request.html
    ("codecommit", "PullRequestId"): "[0-9]+",
    ("codecommit", "RevisionId"): "[0-9a-f]+",
    # The author of a pull request: a user, or a session of a role.
    ("codecommit", "Arn"): r"arn:aws[\w-]*:(iam|sts)::\d{12}:.+",
    ("codecommit", "Email"): r"[^<>\x00-\x1f]*",
    ("codecommit", "ReferenceName"): r"[^\x00-\x20\x7f~^:?*\[\\]+(?<!\.lock)",
    ("codecommit", "CommitName"): ".+",
    ("codecommit", "ResourceArn"): r"arn:aws[\w-]*:codecommit:[a-z0-9-]+:\d{12}:[\w.-]+",
    ("codedeploy", "DeploymentId"): "d-[A-Z0-9]{9}",
    ("codedeploy", "Arn"): r"arn:aws[\w-]*:codedeploy:[a-z0-9-]+:\d{12}:.+",
}
# The largest number of items of a list, and the code for more, by operation and member. The descriptions of
# the members have the numbers: https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_Operations.html
LIMITS: Mapping[tuple[str, str], tuple[int, str]] = {
    ("BatchGetApplicationRevisions", "revisions"): (25, "BatchLimitExceededException"),
    ("BatchGetApplications", "applicationNames"): (100, "BatchLimitExceededException"),
    ("BatchGetDeploymentGroups", "deploymentGroupNames"): (100, "BatchLimitExceededException"),
    ("BatchGetDeployments", "deploymentIds"): (25, "BatchLimitExceededException"),
    # Of an ECS deployment there is one target: the documentation of the exception.
    ("BatchGetDeploymentTargets", "targetIds"): (1, "DeploymentTargetListSizeExceededException"),
    ("BatchGetRepositories", "repositoryNames"): (100, "MaximumRepositoryNamesExceededException"),
}
# Codes that do not have the name of their member.
_IRREGULAR = {
    "Ec2TagFilters": "InvalidEC2TagException",
    "FileContent": "FileContentSizeLimitExceededException",
    "KmsKeyId": "EncryptionKeyInvalidIdException",
    "AfterCommitSpecifier": "InvalidCommitException",
    "BeforeCommitSpecifier": "InvalidCommitException",
    "CommitSpecifier": "InvalidCommitException",
    "OnPremisesInstanceTagFilters": "InvalidTagException",
    "SourceCommitId": "InvalidCommitIdException",
    "Tags": "InvalidTagsToAddException",
}
_ENDING = re.compile(r"(Arn|List|Enum|Type|Name|KeyList|uration)$")

# The members from the input down to a value, each with its shape.
Chain = tuple[tuple[str, Shape], ...]


def required_error(operation: OperationModel, params: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the code and message for the first required member that is missing, or whose list is empty."""
    if operation.service_model.service_name not in SERVICES:
        return None
    for member, shape in _missing(operation.input_shape, params):
        names = list(_names(member, shape))
        code = _declared(operation, *(f"{name}RequiredException" for name in names)) or _ending_with(
            operation, [f"{name}RequiredException" for name in names]
        )
        if code is not None:
            return code, documentation(operation, code)
    return None


def limit_error(operation: OperationModel, params: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the code and message for the first list that is too long."""
    for member, value in params.items():
        limit, code = LIMITS.get((operation.name, member), (None, ""))
        if limit is not None and len(value) > limit:
            return code, documentation(operation, code)
    return None


def invalid_code(operation: OperationModel, chain: Chain) -> str | None:
    """Return the code for an invalid value, the one of its innermost member that has one.

    Other services have a code for few members, by their exact name.
    """
    if operation.service_model.service_name not in SERVICES:
        member = chain[-1][0]
        return _declared(operation, f"Invalid{member[:1].upper()}{member[1:]}Exception")
    for member, shape in reversed(chain):
        for name in _names(member, shape):
            code = _declared(operation, f"Invalid{name}Exception", _IRREGULAR.get(name, ""))
            if code is not None:
                return code
        for name in _names(member, shape):
            found = [code for code in _codes(operation) if code.startswith(f"Invalid{name}")]
            if len(found) == 1:
                return found[0]
    member, shape = chain[0]
    return _ending_with(operation, [f"{name}Exception" for name in _names(member, shape)], "Invalid")


def documentation(operation: OperationModel, code: str) -> str:
    """Return the first paragraph of what the API reference says of an error."""
    shape = next(shape for shape in operation.error_shapes if shape.name == code)
    text = re.sub(r"<[^>]+>", "", shape.documentation.partition("</p>")[0])
    return " ".join(html.unescape(text).split())


def _missing(shape: Shape | None, value: Any) -> Iterator[tuple[str, Shape]]:
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        for name, member in shape.members.items():
            if value.get(name) not in (None, []):
                yield from _empty_items(name, member, value[name])
                yield from _missing(member, value[name])
            elif name in shape.required_members:
                yield name, member
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for item in value:
            yield from _missing(shape.member, item)


def _empty_items(name: str, shape: Shape, items: Any) -> Iterator[tuple[str, Shape]]:
    """Yield the name of an item that is an empty structure: it is required, and not its members."""
    # The model has not been asked yet: what should be a list may be anything.
    if not isinstance(shape, ListShape) or not isinstance(items, list):
        return
    if isinstance(shape.member, StructureShape) and {} in items:
        yield name.removesuffix("s"), shape.member


def _names(member: str, shape: Shape) -> Iterator[str]:
    """Yield the names that a code may have for a member: `applicationNames` is ApplicationName, too."""
    whole = [name[:1].upper() + name[1:] for name in (member, shape.name)]
    for name in whole:
        yield from (name, name.removesuffix("s"))
    for name in whole:
        yield from (_ENDING.sub("", name), _ENDING.sub("", name).removesuffix("s"))
    for name in whole:
        yield re.sub(r"Key(s|List)$", "", name)


def _codes(operation: OperationModel) -> list[str]:
    return [shape.name for shape in operation.error_shapes]


def _declared(operation: OperationModel, *codes: str) -> str | None:
    declared = _codes(operation)
    return next((code for code in codes if code in declared), None)


def _ending_with(operation: OperationModel, endings: list[str], start: str = "") -> str | None:
    """Return the only declared code with one of the endings: `content` is CommentContentRequiredException."""
    for ending in endings:
        found = [each for each in _codes(operation) if each.startswith(start) and each.endswith(ending)]
        if len(found) == 1:
            return found[0]
    return None
