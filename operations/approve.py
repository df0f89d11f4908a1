"""Approve what another environment promotes to this one, on both sides: the target's hook, and the pipeline.

The hook of the target admits the image whose digest an approver wrote into a parameter of its account.
"""

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

from operations.account import Account
from operations.errors import OperationsError
from operations.names import Names
from operations.why.executions import actions

Log = Callable[[str], None]
SUMMARY = "print the approval of a promotion that is pending, or give it with --commit"
DETAILS = (
    "For the target's approvers, with credentials of the target's account. It writes the digest of the image "
    "into the parameter that the test-traffic hook of the target reads, and approves in the pipeline."
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


def _source(value: str) -> Source:
    found = SOURCE.fullmatch(value)
    if not found:
        raise argparse.ArgumentTypeError(f"{value!r} is no SUFFIX@ACCOUNT, such as dev@111111111111")
    return Source(found["suffix"], found["account"])


def _commit(value: str) -> str:
    if not COMMIT.fullmatch(value):
        raise argparse.ArgumentTypeError(f"{value!r} is no full commit hash of 40 digits")
    return value


def run(options: argparse.Namespace, account: Account) -> int:
    """Run the command; return its exit code."""
    if options.source is None:
        raise OperationsError("give --from SUFFIX@ACCOUNT: the environment that promotes, as in promotedFrom")
    approve(options.suffix, options.source, options.commit, account, print)
    return 0


def approve(target: str, source: Source, commit: str | None, account: Account, log: Log) -> None:
    """Approve the promotion of `commit` to `target`, or only say what is pending without one.

    If the pipeline has been approved already, the image is approved at the target alone. Raises
    OperationsError if no approval is pending, or one of another commit.
    """
    approver = _assume(account, account.id, Names(target).approver_role)
    pipeline = _assume(approver, source.account, Names(source.suffix).approval_role(target))
    promoted = _promoted(target, source, pipeline)
    log(f"{source.suffix} promotes commit {promoted.commit} with image {promoted.digest} to {target}")
    if commit is None:
        log(f"approve it: python -m operations approve {target} ... --commit {promoted.commit}")
        return
    if commit != promoted.commit:
        raise OperationsError(f"the promotion is of commit {promoted.commit}, not of {commit}")
    name = Names(target).approved_image
    # First: the pipeline continues as soon as it has its answer.
    approver.client("ssm").put_parameter(Name=name, Value=promoted.digest, Type="String", Overwrite=True)
    log(f"{name} is {promoted.digest}, which counts for 24 hours")
    if not promoted.token:
        log(f"the pipeline was approved before: if its stage Promote-{target} failed, retry it")
        return
    pipeline.client("codepipeline").put_approval_result(
        **_action(target, source),
        result={"summary": f"operations approve: {promoted.digest}", "status": "Approved"},
        token=promoted.token,
    )
    log(f"{Names(source.suffix).pipeline} continues")


def _action(target: str, source: Source) -> dict[str, str]:
    return {
        "pipelineName": Names(source.suffix).pipeline,
        "stageName": f"Promote-{target}",
        "actionName": f"Approve-{target}",
    }


def _promoted(target: str, source: Source, account: Account) -> Promoted:
    """Return what the latest execution in the stage would release."""
    action, codepipeline = _action(target, source), account.client("codepipeline")
    stages = codepipeline.get_pipeline_state(name=action["pipelineName"])["stageStates"]
    for stage in stages:
        for state in stage.get("actionStates", ()):
            latest = state.get("latestExecution", {})
            if state["actionName"] != action["actionName"]:
                continue
            if latest.get("status") in ("InProgress", "Succeeded"):
                execution = stage["latestExecution"]["pipelineExecutionId"]
                token = latest["token"] if latest["status"] == "InProgress" else ""
                return _release(execution, token, Names(source.suffix), account)
    raise OperationsError(f"no approval of a promotion to {target} is pending in {action['pipelineName']}")


def _release(execution: str, token: str, names: Names, account: Account) -> Promoted:
    variables: dict[str, str] = {}
    for each in actions(account, names, execution):
        if each["stageName"] in ("Source", "Build"):
            variables |= each.get("output", {}).get("outputVariables", {})
    commit, digest = variables.get("CommitId", ""), variables.get("IMAGE_URI", "").partition("@")[2]
    if not (COMMIT.fullmatch(commit) and DIGEST.fullmatch(digest)):
        raise OperationsError(
            f"execution {execution} of {names.pipeline} names no commit and image: {variables}"
        )
    return Promoted(token, commit, digest)


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
