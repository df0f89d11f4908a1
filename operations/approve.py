"""Approve what another environment promotes to this one, on both sides: the target's hook, and the pipeline.

The hook of the target admits the image whose digest an approver wrote into a parameter of its account, with
the digest of the definition of the pipeline that made it. The same people approve a definition: a change of
the pipeline needs the same approval as what it releases (attack G23).
"""

import argparse
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import boto3

from operations.account import Account
from operations.command_line import Output, add_dry_run, add_json
from operations.errors import OperationsError
from operations.names import Names
from operations.pipeline_definition import MADE_IN, Definition, read_definition
from operations.why.executions import actions

Log = Callable[[str], None]
SUMMARY = "print the approval of a promotion that is pending, or give it with --commit"
DETAILS = (
    "For the target's approvers, with credentials of the target's account. It writes the digest of the image "
    "into the parameter that the test-traffic hook of the target reads, and approves in the pipeline. A "
    "pipeline that was changed since an approval has a new definition, which --definition approves."
)
SOURCE = re.compile(r"(?P<suffix>[a-z][a-z0-9]*(-[a-z0-9]+)*)@(?P<account>[0-9]{12})")
COMMIT = re.compile(r"[0-9a-f]{40}")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Source:
    """The environment with the pipeline that promotes."""

    suffix: str
    account: str


@dataclass(frozen=True)
class Promoted:
    """What a promotion would release; `token` is empty if the pipeline has its answer already."""

    token: str
    commit: str
    digest: str


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    command.add_argument(
        "--from",
        dest="source",
        type=_source,
        metavar="SUFFIX@ACCOUNT",
        help="the environment that promotes, as in promotedFrom",
    )
    command.add_argument("--commit", type=_commit, metavar="HASH", help="the full hash of the pending commit")
    command.add_argument(
        "--definition",
        type=_digest,
        metavar="DIGEST",
        help="the digest of a definition of the pipeline that is new, once you have read it",
    )
    command.add_argument(
        "--show-definition",
        action="store_true",
        help="print the definition of the pipeline as JSON, and nothing else",
    )
    add_dry_run(command)
    add_json(command)


def _source(value: str) -> Source:
    found = SOURCE.fullmatch(value)
    if not found:
        raise argparse.ArgumentTypeError(f"{value!r} is no SUFFIX@ACCOUNT, such as dev@111111111111")
    return Source(found["suffix"], found["account"])


def _commit(value: str) -> str:
    if not COMMIT.fullmatch(value):
        raise argparse.ArgumentTypeError(f"{value!r} is no full commit hash of 40 digits")
    return value


def _digest(value: str) -> str:
    if not DIGEST.fullmatch(value):
        raise argparse.ArgumentTypeError(f"{value!r} is no digest, such as sha256: and 64 digits")
    return value


def run(options: argparse.Namespace, account: Account) -> int:
    """Run the command; return its exit code."""
    if options.source is None:
        raise OperationsError("give --from SUFFIX@ACCOUNT: the environment that promotes, as in promotedFrom")
    people = Approvers(options.suffix, options.source, account)
    if options.show_definition:
        print(people.definition.text)
        return 0
    output, given = Output(options), options.definition or ""
    promoted = approve(people, options.commit, output.log, definition=given, dry_run=options.dry_run)
    output.end(
        suffix=options.suffix,
        source=asdict(options.source),
        commit=promoted.commit,
        image=promoted.digest,
        definition=people.definition.digest,
        is_approved=bool(options.commit) and not options.dry_run,
        dry_run=options.dry_run,
    )
    return 0


class Approvers:
    """What the approvers of `target` see of the environment that promotes, and what they have approved."""

    def __init__(self, target: str, source: Source, account: Account) -> None:
        self.target = target
        self.source = source
        self.account = _assume(account, account.id, Names(target).approver_role)
        self.pipeline = _assume(self.account, source.account, Names(source.suffix).approval_role(target))

    @cached_property
    def definition(self) -> Definition:
        """The definition of the pipeline that promotes."""
        return read_definition(self.pipeline, Names(self.source.suffix))

    def approved(self) -> str:
        """Return who approved this definition first, and when; nothing if no approver has.

        The parameter's history is AWS's record of both, of the last 100 values:
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterHistory.html
        """
        names, own = Names(self.target), self.account.id
        role = f"arn:aws:sts::{own}:assumed-role/{names.approver_role}/"
        history = self.account.pages("ssm", "get_parameter_history", "Parameters", Name=names.approved_image)
        for version in sorted(history, key=lambda each: int(each["Version"])):
            definition = version["Value"].partition(" ")[2]
            if definition == self.definition.digest and version["LastModifiedUser"].startswith(role):
                name = version["LastModifiedUser"].removeprefix(role)
                return f"{name} on {version['LastModifiedDate']:%Y-%m-%d}"
        return ""


def approve(
    people: Approvers, commit: str | None, log: Log, *, definition: str = "", dry_run: bool = False
) -> Promoted:
    """Approve the promotion of `commit`, or only say what is pending without one; return what is pending.

    If the pipeline has been approved already, the image is approved at the target alone. Raises
    OperationsError if no approval is pending, or one of another commit, or if no approver of the target has
    approved the definition of the pipeline, which `definition` does.
    """
    target, source = people.target, people.source
    promoted = _promoted(people)
    log(f"{source.suffix} promotes commit {promoted.commit} with image {promoted.digest} to {target}")
    option = _definition_option(people, log)
    if commit is None:
        log(f"approve it: python -m operations approve {target} ... --commit {promoted.commit}{option}")
        return promoted
    if commit != promoted.commit:
        raise OperationsError(f"the promotion is of commit {promoted.commit}, not of {commit}")
    found = people.definition
    if option and definition != found.digest:
        raise OperationsError(
            f"no approver of {target} has approved {found.pipeline} as it is: read it with "
            f"--show-definition, and give{option}"
        )
    if dry_run:
        log(f"would approve image {promoted.digest}, in {Names(target).approved_image}")
    else:
        _give(people, promoted, log)
    return promoted


def _give(people: Approvers, promoted: Promoted, log: Log) -> None:
    """Approve an image at the target, then in the pipeline."""
    target, found = people.target, people.definition
    name = Names(target).approved_image
    # First: the pipeline continues as soon as it has its answer.
    value = f"{promoted.digest} {found.digest}"
    people.account.client("ssm").put_parameter(Name=name, Value=value, Type="String", Overwrite=True)
    log(f"{name} is {promoted.digest}, which counts for 24 hours")
    if not promoted.token:
        log(f"the pipeline was approved before: if its stage Promote-{target} failed, retry it")
        return
    people.pipeline.client("codepipeline").put_approval_result(
        **_action(people),
        result={"summary": f"operations approve: {promoted.digest}", "status": "Approved"},
        token=promoted.token,
    )
    log(f"{Names(people.source.suffix).pipeline} continues")


def _definition_option(people: Approvers, log: Log) -> str:
    """Say who approved the definition; return the option that approves one that nobody has."""
    found = people.definition
    if by := people.approved():
        log(f"{found.pipeline} is as approved by {by}: {found.digest}")
        return ""
    log(f"{found.pipeline} has a definition that no approver of {people.target} has approved: {found.digest}")
    for part, when in {found.pipeline: found.updated, **found.projects}.items():
        log(f"  {part} was changed on {when:%Y-%m-%d %H:%M %Z}")
    return f" --definition {found.digest}"


def _action(people: Approvers) -> dict[str, str]:
    return {
        "pipelineName": Names(people.source.suffix).pipeline,
        "stageName": f"Promote-{people.target}",
        "actionName": f"Approve-{people.target}",
    }


def _promoted(people: Approvers) -> Promoted:
    """Return what the latest execution in the stage would release."""
    action, codepipeline = _action(people), people.pipeline.client("codepipeline")
    stages = codepipeline.get_pipeline_state(name=action["pipelineName"])["stageStates"]
    for stage in stages:
        for state in stage.get("actionStates", ()):
            latest = state.get("latestExecution", {})
            if state["actionName"] != action["actionName"]:
                continue
            if latest.get("status") in ("InProgress", "Succeeded"):
                execution = stage["latestExecution"]["pipelineExecutionId"]
                token = latest["token"] if latest["status"] == "InProgress" else ""
                return _release(execution, token, people)
    raise OperationsError(
        f"no approval of a promotion to {people.target} is pending in {action['pipelineName']}"
    )


def _release(execution: str, token: str, people: Approvers) -> Promoted:
    names, variables = Names(people.source.suffix), dict[str, str]()
    found = actions(people.pipeline, names, _built_by(execution, people))
    for each in found:
        if each["stageName"] in MADE_IN:
            variables |= each.get("output", {}).get("outputVariables", {})
    commit, digest = variables.get("CommitId", ""), variables.get("IMAGE_URI", "").partition("@")[2]
    if not (COMMIT.fullmatch(commit) and DIGEST.fullmatch(digest)):
        raise OperationsError(
            f"execution {execution} of {names.pipeline} names no commit and image: {variables}"
        )
    people.definition.check_made(found)
    return Promoted(token, commit, digest)


def _built_by(execution: str, people: Approvers) -> str:
    """Return the execution with the build: a rollback has none of its own, and names the one it goes back to.

    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineRollbackMetadata.html
    """
    found = people.pipeline.client("codepipeline").get_pipeline_execution(
        pipelineName=Names(people.source.suffix).pipeline, pipelineExecutionId=execution
    )["pipelineExecution"]
    return str(found.get("rollbackMetadata", {}).get("rollbackTargetPipelineExecutionId", execution))


def _assume(account: Account, owner: str, role: str) -> Account:
    """Return an account with the credentials of a role, or the same one if it has them already.

    The name of the session tells the history of the parameter and CloudTrail who approved.
    """
    caller = account.identity["Arn"]
    if caller.startswith(f"arn:aws:sts::{owner}:assumed-role/{role}/"):
        return account
    keys = account.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{owner}:role/{role}", RoleSessionName=re.split("[:/]", caller)[-1][:64]
    )["Credentials"]
    session: Any = boto3.session.Session(
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name=account.region,
    )
    return Account(session, account.endpoint)
