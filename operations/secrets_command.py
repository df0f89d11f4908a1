"""The actions of `operations secrets`: set a value, and list what has one. No value is ever printed."""

import argparse
import getpass
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeAlias

from botocore.exceptions import ClientError
from rich.console import Console
from rich.table import Table

from operations.account import Account
from operations.command_line import EXIT_CODES, Output, Parser, add_json, print_json, sentence
from operations.errors import OperationsError
from operations.names import Names
from operations.ownership import ENVIRONMENT_TAG, PROJECT, PROJECT_TAG
from operations.stored_variables import KEYS, Variable, read

# Of a parameter of the standard tier, which is free.
LONGEST = 4096


Commands: TypeAlias = "argparse._SubParsersAction[Parser]"
AddCommand = Callable[[Commands, str, str, str], argparse.ArgumentParser]
SUMMARY = "set the secrets and parameters that a service of the catalogue declares, or list them"


def add(commands: Commands, add_command: AddCommand) -> None:
    """Add the command with its two actions."""
    given = commands.add_parser("secrets", help=SUMMARY, description=sentence(SUMMARY), epilog=EXIT_CODES)
    actions = given.add_subparsers(required=True, metavar="ACTION")
    command = add_command(
        actions,
        "set",
        "set the value of one variable, before or after the first deployment",
        "It reads the value from standard input, and asks for it on a terminal: a value is never an "
        "argument, and is neither printed nor logged. A secret is stored in SSM as a SecureString, a "
        "parameter as a String.",
    )
    command.set_defaults(run=run_set)
    command.add_argument("name", metavar="NAME", help="the variable, as the catalogue declares it")
    command.add_argument("--dry-run", action="store_true", help="only print what it would do; reads no value")
    add_json(command)
    command = add_command(
        actions,
        "list",
        "list the variables, without their values",
        "It tells which are declared, by the deployed environment or by cdk.json, and since when each has "
        "a value. A missing value is a finding.",
    )
    command.set_defaults(run=run_list)
    add_json(command)


def run_set(options: argparse.Namespace, account: Account) -> int:
    """Set the value of a declared variable from standard input; return 0."""
    names, variable = Names(options.suffix), _declared(options.suffix, options.name, account)
    output, version = Output(options), variable.version + 1
    if options.dry_run:
        output.log(f"would set {variable.parameter} ({variable.type}), version {version}")
    else:
        version = store(options.suffix, variable, read_value(variable.name), account)
        output.log(f"set {variable.parameter} ({variable.type}), version {version}")
        output.log(
            "Tasks read it when they start: the next release gives it to all. To release the newest commit:"
        )
        output.log(f"aws codepipeline start-pipeline-execution --name {names.pipeline}")
    output.end(
        suffix=options.suffix,
        parameter=variable.parameter,
        type=variable.type,
        version=version,
        dry_run=options.dry_run,
    )
    return 0


def run_list(options: argparse.Namespace, account: Account) -> int:
    """Print every declared variable; return 1 if one has no value."""
    variables = read(options.suffix, account)
    if options.json:
        print_json([{**asdict(one), "problem": one.problem} for one in variables])
    else:
        _print(options.suffix, variables)
    return int(any(one.problem for one in variables))


def read_value(name: str) -> str:
    """Read a value: without an echo on a terminal, else all of standard input but its last line break."""
    try:
        if sys.stdin.isatty():
            value = getpass.getpass(f"Value of {name} (it is not shown): ")
        else:
            value = sys.stdin.read().removesuffix("\n")
    except UnicodeDecodeError:
        raise OperationsError(f"the value of {name} is no text in UTF-8: encode it, as with base64") from None
    if not value or len(value) > LONGEST:
        raise OperationsError(f"the value of {name} has {len(value)} characters: it must have 1 to {LONGEST}")
    return value


def store(suffix: str, variable: Variable, value: str, account: Account) -> int:
    """Create the parameter with the tags of the environment, or change its value; return its version."""
    ssm, tags = account.client("ssm"), {PROJECT_TAG: PROJECT, ENVIRONMENT_TAG: suffix}
    given = {"Name": variable.parameter, "Value": value, "Type": variable.type}
    listed = [{"Key": key, "Value": tag} for key, tag in tags.items()]
    try:
        if not variable.version:
            return int(ssm.put_parameter(**given, Tags=listed)["Version"])
        # PutParameter takes no tags with Overwrite.
        version = int(ssm.put_parameter(**given, Overwrite=True)["Version"])
    except ClientError as error:
        # An error may quote the value: of a pattern that it does not match, for example.
        raise OperationsError(str(error).replace(value, "(the value)")) from None
    ssm.add_tags_to_resource(ResourceType="Parameter", ResourceId=variable.parameter, Tags=listed)
    return version


def _declared(suffix: str, name: str, account: Account) -> Variable:
    variables = {one.name: one for one in read(suffix, account)}
    if name not in variables:
        known = ", ".join(variables) or "none"
        raise OperationsError(
            f"{suffix} declares no variable {name}, but {known}: add it to `secrets` or `parameters` of the "
            "service in cdk.json"
        )
    found = variables[name]
    if found.version and found.problem:
        raise OperationsError(
            f"{found.parameter} is {found.problem}, and AWS changes no type: run aws ssm delete-parameter "
            f"--name {found.parameter}, then set it again"
        )
    return found


def _print(suffix: str, variables: list[Variable]) -> None:
    table = Table(
        "Variable", "Parameter", "Declared in", "State", title=f"Secrets and parameters of {suffix}"
    )
    for one in variables:
        table.add_row(
            one.name, one.parameter, KEYS[one.type], one.state, style="red" if one.problem else None
        )
    console = Console()
    if variables:
        console.print(table)
    else:
        print(f"{suffix} declares no secrets and no parameters")
    for one in variables:
        if not one.version:
            print(f"python -m operations secrets set {suffix} {one.name}")
