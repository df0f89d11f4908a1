"""A build's variables: what CodeBuild tells it, what the project, the start and the buildspec declare."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from local_aws.services.codebuild.buildspec import Buildspec

# Systems Manager's limit for one GetParameters.
NAMES_AT_ONCE = 10


class VariablesError(Exception):
    """A variable's value cannot be had: CodeBuild's `Decrypted Variables Error` (pitfall F4)."""


class Started(Protocol):
    """What the variables need of a build's request."""

    source: dict[str, Any]
    encryption_key: str | None
    log_stream: str


def declared_variables(
    environment: dict[str, Any], spec: Buildspec, ssm: Any, say: Callable[[str], None]
) -> dict[str, str]:
    """Return the declared variables with their values; the project's win over the buildspec's.

    `environment` is the API's ProjectEnvironment, overrides applied. Raises `VariablesError`.
    """
    declared = environment.get("environmentVariables", [])
    plain = {item["name"]: item["value"] for item in declared if item.get("type", "PLAINTEXT") == "PLAINTEXT"}
    stored = {item["name"]: item["value"] for item in declared if item.get("type") == "PARAMETER_STORE"}
    stored = {**spec.parameter_store, **stored}
    names = {*stored.values()}
    if names:
        say("Decrypting parameter store environment variables")
    values = _parameters(ssm, sorted(names))
    # The buildspec's plain values come first of all, so that everything else wins over them.
    return {**spec.variables, **{name: values[stored[name]] for name in stored}, **plain}


def _parameters(ssm: Any, names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for start in range(0, len(names), NAMES_AT_ONCE):
        some = names[start : start + NAMES_AT_ONCE]
        try:
            answer = ssm.get_parameters(Names=some, WithDecryption=True)
        except ClientError as error:
            reason = error.response["Error"]
            raise VariablesError(f"{reason.get('Code')}: {reason.get('Message')}") from error
        found |= _values(answer["Parameters"])
        if missing := [name for name in some if name not in found]:
            raise VariablesError(f"parameter does not exist: {', '.join(missing)}")
    return found


def _values(parameters: Iterable[dict[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for parameter in parameters:
        # A name may ask for a version or a label (`name:2`), which comes back in a member of its own.
        asked = parameter["Name"] + parameter.get("Selector", "")
        values |= {asked: parameter["Value"], parameter["ARN"]: parameter["Value"]}
    return values


def codebuild_variables(record: dict[str, Any], source: Path, request: Started) -> dict[str, str]:
    """Return what CodeBuild itself tells a build (user guide, "Environment variables in builds")."""
    variables = {
        "CODEBUILD_BUILD_ARN": record["arn"],
        "CODEBUILD_BUILD_ID": record["id"],
        "CODEBUILD_BUILD_IMAGE": record["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(record["buildNumber"]),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": record["initiator"],
        "CODEBUILD_KMS_KEY_ID": request.encryption_key or "",
        "CODEBUILD_LOG_PATH": request.log_stream,
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_START_TIME": str(int(record["startTime"].timestamp() * 1000)),
        "CODEBUILD_SOURCE_REPO_URL": request.source.get("location", ""),
        "CODEBUILD_SOURCE_VERSION": record.get("sourceVersion", ""),
        "CODEBUILD_RESOLVED_SOURCE_VERSION": record.get("resolvedSourceVersion", ""),
    }
    return {name: value for name, value in variables.items() if value}
