"""A build's environment variables: of CodeBuild itself, the project, StartBuild and the buildspec."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local_aws.services.codebuild.build_request import BuildRequest
from local_aws.services.codebuild.buildspec import Buildspec
from local_aws.services.codebuild.errors import VariablesError
from local_aws.services.codebuild.shapes import BuildShape, EnvironmentShape

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
MAX_NAMES = 10


def declared_variables(
    environment: EnvironmentShape, spec: Buildspec, ssm: Any, log: Callable[[str], None]
) -> dict[str, str]:
    """Return the declared variables; those of the project take precedence over the buildspec's.

    `environment` has StartBuild's overrides applied. Raises `VariablesError`.
    """
    declared = environment.get("environmentVariables", [])
    plain = {item["name"]: item["value"] for item in declared if item.get("type", "PLAINTEXT") == "PLAINTEXT"}
    stored = {item["name"]: item["value"] for item in declared if item.get("type") == "PARAMETER_STORE"}
    stored = {**spec.parameter_store, **stored}
    names = {*stored.values()}
    if names:
        log("Decrypting parameter store environment variables")
    values = _parameters(ssm, sorted(names))
    # The buildspec's plaintext values come first: all others take precedence over them.
    return {**spec.variables, **{name: values[stored[name]] for name in stored}, **plain}


def _parameters(ssm: Any, names: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for start in range(0, len(names), MAX_NAMES):
        batch = names[start : start + MAX_NAMES]
        try:
            answer = ssm.get_parameters(Names=batch, WithDecryption=True)
        except ClientError as error:
            reason = error.response["Error"]
            raise VariablesError(f"{reason.get('Code')}: {reason.get('Message')}") from error
        values |= _values(answer["Parameters"])
        if missing := [name for name in batch if name not in values]:
            raise VariablesError(f"parameter does not exist: {', '.join(missing)}")
    return values


def _values(parameters: Iterable[dict[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for parameter in parameters:
        # The version or label of a requested name (`name:2`) is in a member of its own.
        requested_name = parameter["Name"] + parameter.get("Selector", "")
        values |= {requested_name: parameter["Value"], parameter["ARN"]: parameter["Value"]}
    return values


def codebuild_variables(build: BuildShape, source: Path, request: BuildRequest) -> dict[str, str]:
    """Return the variables that CodeBuild sets.

    https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    """
    variables = {
        "CODEBUILD_BUILD_ARN": build["arn"],
        "CODEBUILD_BUILD_ID": build["id"],
        "CODEBUILD_BUILD_IMAGE": build["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(build["buildNumber"]),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": build["initiator"],
        "CODEBUILD_KMS_KEY_ID": request.encryption_key or "",
        "CODEBUILD_LOG_PATH": request.log_stream,
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_START_TIME": str(int(build["startTime"].timestamp() * 1000)),
        "CODEBUILD_SOURCE_REPO_URL": request.source.get("location", ""),
        "CODEBUILD_SOURCE_VERSION": build.get("sourceVersion", ""),
        "CODEBUILD_RESOLVED_SOURCE_VERSION": build.get("resolvedSourceVersion", ""),
    }
    return {name: value for name, value in variables.items() if value}
