"""The variables of a service whose values are SSM parameters: which it declares, and which have a value.

A secret is a SecureString, a parameter of the catalogue a String; `operations secrets` creates both.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from operations.account import Account, batches
from operations.catalogue import CDK_JSON, entry_of, read_context
from operations.names import Names
from operations.ownership import ENVIRONMENT_TAG, PROJECT, PROJECT_TAG

SECRET, PARAMETER = "SecureString", "String"
# The key of the catalogue, and the variable of the build project, by the type of the parameters.
KEYS = {SECRET: "secrets", PARAMETER: "parameters"}
VARIABLES = {SECRET: "TASK_SECRETS", PARAMETER: "TASK_PARAMETERS"}
# A filter of DescribeParameters takes fifty values.
NAMES_AT_ONCE = 50


@dataclass(frozen=True)
class Variable:
    """A variable that a service declares, and its parameter; version 0 means that there is none.

    `type` is what the catalogue declares, `stored_as` what the parameter is.
    """

    name: str
    parameter: str
    type: str
    stored_as: str = ""
    version: int = 0
    set_at: datetime | None = None

    @property
    def problem(self) -> str:
        """What is wrong with its value, or ""."""
        if not self.version:
            return "missing"
        return "" if self.stored_as == self.type else f"stored as {self.stored_as}, not {self.type}"

    @property
    def state(self) -> str:
        """Whether it has a value, and since when."""
        return self.problem or f"set, version {self.version} of {self.set_at:%Y-%m-%d %H:%M}"


def read(suffix: str, account: Account, cdk_json: Path = CDK_JSON) -> list[Variable]:
    """Return every declared variable, in the order of their names."""
    names = Names(suffix)
    types = {
        names.stored_variable(name): type_ for name, type_ in declared(suffix, account, cdk_json).items()
    }
    found = {one["Name"]: one for one in _described(account, list(types))}
    return [_variable(parameter, type_, found.get(parameter)) for parameter, type_ in types.items()]


def declared(suffix: str, account: Account, cdk_json: Path = CDK_JSON) -> dict[str, str]:
    """Return the type of each variable that the deployed environment or cdk.json declares.

    A value may be set before the deployment that declares it, and is needed until the one that drops it.
    """
    entry = entry_of(suffix, read_context(cdk_json))
    planned = {name: type_ for type_, key in KEYS.items() for name in entry.get(key, ())}
    return dict(sorted({**_deployed(suffix, account), **planned}.items()))


def owned(suffix: str, account: Account) -> Iterator[str]:
    """Yield the parameters that `operations secrets` has created for an environment."""
    path = Names(suffix).stored_variable("")
    wanted: list[dict[str, Any]] = [
        {"Key": "Path", "Option": "OneLevel", "Values": [path.rstrip("/")]},
        {"Key": f"tag:{PROJECT_TAG}", "Values": [PROJECT]},
        {"Key": f"tag:{ENVIRONMENT_TAG}", "Values": [suffix]},
    ]
    for found in account.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=wanted):
        if found["Name"].startswith(path):
            yield found["Name"]


def _deployed(suffix: str, account: Account) -> dict[str, str]:
    """Return what the build project gives the next release; nothing before the first deployment."""
    projects = account.client("codebuild").batch_get_projects(names=[Names(suffix).build_project])["projects"]
    variables = [one for project in projects for one in project["environment"]["environmentVariables"]]
    values = {one["name"]: one["value"] for one in variables}
    return {
        one["name"]: type_
        for type_, variable in VARIABLES.items()
        for one in json.loads(values.get(variable, "[]"))
    }


def _described(account: Account, parameters: list[str]) -> Iterator[Mapping[str, Any]]:
    for some in batches(parameters, NAMES_AT_ONCE):
        wanted: list[dict[str, Any]] = [{"Key": "Name", "Option": "Equals", "Values": some}]
        yield from account.pages("ssm", "describe_parameters", "Parameters", ParameterFilters=wanted)


def _variable(parameter: str, type_: str, found: Mapping[str, Any] | None) -> Variable:
    name = parameter.rpartition("/")[2]
    if found is None:
        return Variable(name, parameter, type_)
    return Variable(name, parameter, type_, found["Type"], found["Version"], found["LastModifiedDate"])
