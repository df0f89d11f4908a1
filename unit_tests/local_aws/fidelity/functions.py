"""Wrong calls of Lambda."""

import contextlib
import io
import zipfile
from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

INVALID = "InvalidParameterValueException"
NOT_FOUND = "ResourceNotFoundException"
CONFLICT = "ResourceConflictException"
ARN = "arn:aws:lambda:us-east-1:123456789012:function"
FUNCTION = {"FunctionName": "function"}
TAGGED = {"Resource": f"{ARN}:function"}
PERMISSION = {"StatementId": "one", "Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com"}


def archive() -> bytes:
    """Return the archive of a function."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("index.py", "def handler(event, context):\n    return {}\n")
    return buffer.getvalue()


CODE = {"ZipFile": archive()}
PYTHON = {"Runtime": "python3.12", "Handler": "index.handler"}


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a function with an alias and a permission."""
    client = account.client("lambda")
    client.create_function(**FUNCTION, **PYTHON, Role=account.role, Code=CODE)
    client.publish_version(**FUNCTION)
    client.create_alias(**FUNCTION, Name="live", FunctionVersion="1")
    client.add_permission(**FUNCTION, **PERMISSION)
    client.create_function(FunctionName="full", **PYTHON, Role=account.role, Code=CODE)
    for number in range(60):
        more = {**PERMISSION, "StatementId": f"{number}{'x' * 90}"}
        with contextlib.suppress(client.exceptions.PolicyLengthExceededException):
            client.add_permission(FunctionName="full", **more, SourceArn=f"arn:aws:sns:::{'x' * 200}")
    _create_unusable(account)
    return {"role": account.role, "latest": "$LATEST"}


# Function -> what is done with its key. The waiting period of `gone` is over before `deleted` is scheduled.
SEALED = {"gone": "schedule_key_deletion", "disabled": "disable_key", "deleted": "schedule_key_deletion"}


def _create_unusable(account: Account) -> None:
    """Create functions whose keys then cannot be used, and one in a network that is idle for 15 days."""
    client, kms = account.client("lambda"), account.client("kms")
    shared = {**PYTHON, "Role": account.role, "Code": CODE}
    network = {"SubnetIds": account.subnets, "SecurityGroupIds": [account.security_group]}
    client.create_function(FunctionName="idle", **shared, VpcConfig=network)
    for name, end in SEALED.items():
        key = kms.create_key()["KeyMetadata"]["Arn"]
        sealed = {"KMSKeyArn": key, "Environment": {"Variables": {"KEY": "v"}}}
        client.create_function(FunctionName=name, **shared, **sealed)
        getattr(kms, end)(KeyId=key, **({"PendingWindowInDays": 7} if name == "gone" else {}))
        if name == "gone":
            account.server.skip_days(15)


VALID: Mapping[str, Mapping[str, Any]] = {
    "AddPermission": {**FUNCTION, **PERMISSION, "StatementId": "two"},
    "CreateAlias": {**FUNCTION, "Name": "new", "FunctionVersion": "1"},
    "CreateFunction": {"FunctionName": "new", **PYTHON, "Role": "$role", "Code": CODE},
    "DeleteFunction": FUNCTION,
    "GetAlias": {**FUNCTION, "Name": "live"},
    "GetFunction": FUNCTION,
    "GetFunctionConfiguration": FUNCTION,
    "GetPolicy": FUNCTION,
    "Invoke": FUNCTION,
    "ListFunctions": {},
    "ListTags": TAGGED,
    "ListVersionsByFunction": FUNCTION,
    "PublishVersion": FUNCTION,
    "RemovePermission": {**FUNCTION, "StatementId": "one"},
    "TagResource": {**TAGGED, "Tags": {"k": "v"}},
    "UntagResource": {**TAGGED, "TagKeys": ["k"]},
    "UpdateFunctionCode": {**FUNCTION, "ZipFile": CODE["ZipFile"]},
    "UpdateFunctionConfiguration": FUNCTION,
}
WRONG = (
    Wrong("FunctionName", "nope", NOT_FOUND, ("CreateFunction",)),
    Wrong(
        "FunctionName",
        "function",
        CONFLICT,
        (
            *("AddPermission", "CreateAlias", "DeleteFunction", "Invoke", "PublishVersion"),
            *("TagResource", "UntagResource", "UpdateFunctionCode", "UpdateFunctionConfiguration"),
        ),
    ),
    Wrong("Name", "nope", NOT_FOUND, ("CreateAlias",)),
    Wrong("Name", "live", CONFLICT),
    Wrong("FunctionVersion", "9", NOT_FOUND),
    Wrong("StatementId", "one", CONFLICT),
    Wrong("StatementId", "nope", NOT_FOUND, ("AddPermission",)),
    Wrong("Qualifier", "9", NOT_FOUND, ("DeleteFunction",)),
    Wrong("Resource", f"{ARN}:nope", NOT_FOUND),
    Wrong("Resource", "zz", INVALID),
    Wrong("Runtime", "cobol1", INVALID),
    Wrong("Role", "arn:aws:iam::123456789012:role/nope", INVALID),
    Wrong(
        "CodeSigningConfigArn",
        "arn:aws:lambda:us-east-1:123456789012:code-signing-config:csc-0123456789abcdef0",
        "CodeSigningConfigNotFoundException",
    ),
    Wrong("Principal", "nobody", INVALID),
    Wrong("Tags", {"aws:k": "v"}, INVALID),
    Wrong("Tags", {f"k{n}": "v" for n in range(51)}, INVALID),
    Wrong("RevisionId", "zz", "PreconditionFailedException"),
    Wrong("Payload", b"zz", "InvalidRequestContentException"),
    Wrong("Payload", b'"' + b"x" * 6_300_000 + b'"', "RequestTooLargeException"),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("AddPermission", {"FunctionName": "full"}, "PolicyLengthExceededException"),
    *(
        (operation, {"FunctionName": "function:1", "Qualifier": "2"}, INVALID)
        for operation in (
            *("DeleteFunction", "GetFunction", "GetFunctionConfiguration", "GetPolicy", "Invoke"),
            "RemovePermission",
        )
    ),
    ("DeleteFunction", {"Qualifier": "$latest"}, INVALID),
    (
        "CreateAlias",
        {"FunctionVersion": "$latest", "RoutingConfig": {"AdditionalVersionWeights": {"1": 0.5}}},
        INVALID,
    ),
    ("UpdateFunctionCode", {"ZipFile": b"zz"}, INVALID),
    ("PublishVersion", {"CodeSha256": "zz"}, INVALID),
    ("Invoke", {"FunctionName": "gone"}, "KMSNotFoundException"),
    ("Invoke", {"FunctionName": "disabled"}, "KMSDisabledException"),
    ("Invoke", {"FunctionName": "deleted"}, "KMSInvalidStateException"),
    ("Invoke", {"FunctionName": "idle"}, "ResourceNotReadyException"),
    ("CreateFunction", {"Code": {"ZipFile": b"zz"}}, INVALID),
)
SUITE = Suite("lambda", tuple(VALID), VALID, WRONG, CHANGES, prepare, invalid="ValidationException")
