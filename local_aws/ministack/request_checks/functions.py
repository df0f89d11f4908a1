"""What Lambda refuses: https://docs.aws.amazon.com/lambda/latest/api/API_Operations.html."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from local_aws.core.api import service_model
from local_aws.ministack.compat import require
from local_aws.ministack.iam import iam
from local_aws.ministack.request_checks.rules import Checks, Rule, Test, is_no_json, unlike
from local_aws.ministack.request_checks.tags import TagCodes

functions = require("services.lambda_svc", "_functions", "_resolve_name")

INVALID, NOT_FOUND = "InvalidParameterValueException", "ResourceNotFoundException"
TAG_OPERATIONS = ("ListTags", "TagResource", "UntagResource")
ARN = r"arn:aws[\w-]*:lambda:[a-z0-9-]+:\d{12}:(function|event-source-mapping|code-signing-config):.+"
# A name, a partial ARN or an ARN with a version or an alias.
QUALIFIED = re.compile(r"(?:.*:function:|\d{12}:)?[\w-]+:(?P<qualifier>\$LATEST|[\w-]+)")
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LARGEST_PAYLOAD = 6 * 1024 * 1024
LARGEST_POLICY = 20 * 1024
LARGEST_ENVIRONMENT, LONGEST_TIMEOUT = 4 * 1024, 900
CONCURRENCY, UNRESERVED = 1000, 100


@cache
def _runtimes() -> frozenset[str]:
    return frozenset(service_model("lambda").shape_for("Runtime").enum)


def _is_missing_role(arn: str) -> bool:
    return str(arn).rpartition("/")[2] not in iam._roles


def _is_missing_version(params: Mapping[str, Any]) -> bool:
    found = functions._functions.get(functions._resolve_name(params["FunctionName"]))
    version = params.get("FunctionVersion", "$LATEST")
    return found is not None and version != "$LATEST" and version not in found["versions"]


def _has_another(member: str) -> Test:
    """Return a test for a request about a function that expects another value of its configuration."""

    def test(params: Mapping[str, Any]) -> bool:
        found = functions._functions.get(functions._resolve_name(params["FunctionName"]))
        given = params.get(member)
        return found is not None and bool(given) and given != found["config"].get(member)

    return test


def _has_full_policy(params: Mapping[str, Any]) -> bool:
    """Return whether the policy of a function has no room for a statement; MiniStack adds little more."""
    found = functions._functions.get(functions._resolve_name(params["FunctionName"]))
    return found is not None and len(json.dumps([found["policy"], dict(params)])) > LARGEST_POLICY


def _has_two_qualifiers(params: Mapping[str, Any]) -> bool:
    """Return whether the name of a function ends in another qualifier than the one that is given."""
    found = QUALIFIED.fullmatch(str(params.get("FunctionName", "")))
    return found is not None and params.get("Qualifier") not in (None, found["qualifier"])


def _routes_latest(params: Mapping[str, Any]) -> bool:
    weights: Mapping[str, float] = (params.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    return bool(weights) and "$LATEST" in (params.get("FunctionVersion"), *weights)


CONFIGURING = ("CreateFunction", "UpdateFunctionConfiguration")
# Runtimes of which no function can be created, nor updated.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
ENDED = frozenset(
    {
        *("dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "nodejs", "nodejs4.3"),
        *("nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x", "python2.7", "python3.6"),
        "ruby2.5",
    }
)
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
RESERVED = frozenset(
    {
        *("_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV"),
        *("AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION"),
        *("AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME"),
        *("AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
        *("AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"),
    }
)


def _lacks_handler(params: Mapping[str, Any]) -> bool:
    is_image = params.get("PackageType") == "Image" or "ImageUri" in (params.get("Code") or {})
    return not is_image and not (params.get("Runtime") and params.get("Handler"))


def _has_large_environment(environment: Mapping[str, Any]) -> bool:
    variables = environment.get("Variables") or {}
    return len(json.dumps(variables, separators=(",", ":")).encode()) > LARGEST_ENVIRONMENT


CHECKS = Checks(
    invalid="ValidationException",
    forms=(
        Rule(
            "",
            _lacks_handler,
            INVALID,
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
            ("CreateFunction",),
        ),
        Rule(
            "Timeout",
            lambda seconds: int(seconds) > LONGEST_TIMEOUT,
            "ValidationException",
            "1 validation error detected: Value '{}' at 'timeout' failed to satisfy constraint: Member must "
            f"have value less than or equal to {LONGEST_TIMEOUT}",
            CONFIGURING,
        ),
        Rule(
            "Environment",
            _has_large_environment,
            INVALID,
            "Lambda was unable to configure your environment variables because the environment variables you "
            "have provided exceeded the 4KB limit.",
            CONFIGURING,
        ),
        Rule(
            "Runtime",
            lambda name: name in ENDED,
            INVALID,
            "The runtime parameter of {} is no longer supported for creating or updating AWS Lambda "
            "functions. We recommend you use a supported runtime while creating or updating functions.",
            CONFIGURING,
        ),
        Rule(
            "Environment",
            lambda environment: not RESERVED.isdisjoint(environment.get("Variables") or {}),
            INVALID,
            "Lambda was unable to configure your environment variables because the environment variables you "
            "have provided contains reserved keys that are currently not supported for modification.",
            CONFIGURING,
        ),
        Rule(
            "Runtime",
            lambda name: name not in _runtimes(),
            INVALID,
            "Value {} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set",
        ),
        Rule("Resource", unlike(ARN), INVALID, "The resource ARN {} is not valid.", TAG_OPERATIONS),
    ),
    states=(
        # https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
        Rule(
            "ReservedConcurrentExecutions",
            lambda count: count > CONCURRENCY - UNRESERVED,
            INVALID,
            "Specified ReservedConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{UNRESERVED}].",
        ),
        Rule(
            "",
            _has_two_qualifiers,
            INVALID,
            "The derived qualifier from the function name does not match the specified qualifier.",
        ),
        Rule(
            "Qualifier",
            lambda qualifier: qualifier == "$LATEST",
            INVALID,
            "$LATEST version cannot be deleted without deleting the function.",
            ("DeleteFunction",),
        ),
        # https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
        Rule(
            "",
            _routes_latest,
            INVALID,
            "$LATEST is not supported for an alias pointing to more than 1 version",
            ("CreateAlias", "UpdateAlias"),
        ),
        Rule(
            "",
            _has_full_policy,
            "PolicyLengthExceededException",
            f"The final policy size is bigger than the limit ({LARGEST_POLICY}).",
            ("AddPermission",),
        ),
        Rule(
            "Payload",
            lambda payload: len(payload) > LARGEST_PAYLOAD,
            "RequestTooLargeException",
            f"Request must be smaller than {LARGEST_PAYLOAD} bytes for the InvokeFunction operation",
        ),
        Rule(
            "Payload",
            lambda payload: bool(payload) and is_no_json(payload),
            "InvalidRequestContentException",
            "Could not parse request body into json.",
        ),
        Rule(
            "Role",
            _is_missing_role,
            INVALID,
            "The role defined for the function cannot be assumed by Lambda.",
            ("UpdateFunctionConfiguration",),
        ),
        # local_aws has no code signing configurations.
        Rule(
            "CodeSigningConfigArn",
            bool,
            "CodeSigningConfigNotFoundException",
            "The code signing configuration cannot be found. Check that the provided configuration is not "
            "deleted: {}.",
            ("CreateFunction",),
        ),
        Rule(
            "Principal",
            unlike(r"\*|\d{12}|arn:aws[\w-]*:.+|[\w-]+(\.[\w-]+)+"),
            INVALID,
            "The provided principal was invalid. Please check the principal and try again.",
            ("AddPermission",),
        ),
        Rule(
            "",
            _has_another("RevisionId"),
            "PreconditionFailedException",
            "The RevisionId provided does not match the latest RevisionId for the Lambda function or alias.",
            ("AddPermission", "PublishVersion", "RemovePermission"),
        ),
        # https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html (CodeSha256)
        Rule(
            "",
            _has_another("CodeSha256"),
            INVALID,
            "CodeSHA256 is different from current CodeSHA256 in $LATEST. "
            "Please try again with the CodeSHA256 in $LATEST.",
            ("PublishVersion",),
        ),
        Rule("", _is_missing_version, NOT_FOUND, "Function not found", ("CreateAlias", "UpdateAlias")),
    ),
    tags=TagCodes(INVALID, too_many=INVALID),
)
