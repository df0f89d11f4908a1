"""What is where: the version that each environment runs, its newest release, its alarms and its drift.

Environments are the root stacks whose nested stacks have the app's tags. Stacks and alarms are read for all
together, and at most four calls are made for each environment.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from operations import listener_drift, why
from operations.account import Account
from operations.errors import OperationsError
from operations.names import Names
from operations.ownership import ENVIRONMENT_TAG, PROJECT, PROJECT_TAG, Ownership, Resource, normalize_tags
from operations.quiesce import deployments
from operations.status import four_keys
from operations.status.commits import find_commit
from operations.status.four_keys import FourKeys
from operations.why.executions import ACTIVE, Summary, actions, executions, kind, title, with_status

# Executions of the newest page in which a successful one is looked for.
MOST_EXECUTIONS = 20
THREADS = 4
ALARM = "AWS::CloudWatch::Alarm"
# The alarms of a scaling policy: with few requests, one is in ALARM all the time.
SCALES = "TargetTracking-"
Shape = Mapping[str, Any]


@dataclass(frozen=True)
class Environment:
    """One environment. What is not known, or not so, is empty."""

    suffix: str
    service: str
    stack_status: str
    commit: str = ""
    subject: str = ""
    author: str = ""
    since: datetime | None = None
    release: str = ""
    has_failed: bool = False
    explanation: tuple[str, ...] = ()
    four_keys: FourKeys | None = None
    alarms: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()

    @property
    def is_stable(self) -> bool:
        """Whether CloudFormation has nothing left to do, and undid nothing."""
        return self.stack_status in ("CREATE_COMPLETE", "UPDATE_COMPLETE")

    @property
    def has_finding(self) -> bool:
        """Whether somebody has to look at it."""
        return self.has_failed or bool(self.alarms or self.drift) or not self.is_stable


def fleet(account: Account) -> list[Environment]:
    """Return every environment of the account, by its suffix."""
    stacks = root_stacks(account)
    alarms = _alarms(account)
    # boto3's clients may be shared by threads, once they are made.
    for service in ("codepipeline", "codecommit"):
        account.client(service)
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda stack: _environment(account, stack, alarms), stacks))


def one(account: Account, suffix: str) -> Environment:
    """Return one environment, with the reason of a failure, its four keys, and the drift of its listeners.

    Raises `OperationsError` if there is none.
    """
    stack = next((each for each in root_stacks(account) if suffix_of(each) == suffix), None)
    if stack is None:
        raise OperationsError(
            f"there is no environment {suffix} in account {account.id}: status without a suffix lists them"
        )
    found = _environment(account, stack, _alarms(account))
    lines = why.explain(suffix, account).lines if found.release else ()
    return replace(
        found,
        explanation=tuple(lines),
        four_keys=four_keys.read(account, Names(suffix), datetime.now(UTC)),
        drift=(*found.drift, *_listener_drift(account, suffix)),
    )


def root_stacks(account: Account) -> list[Shape]:
    """Return the root stack of each environment, by its suffix, with the tags of its nested stacks.

    A nested stack names its root:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html

    With @aws-cdk/core:explicitStackTags, the CDK tags the resources of the root stack, not the stack itself.
    """
    found = list(account.pages("cloudformation", "describe_stacks", "Stacks"))
    tagged = [each for each in found if tags_of(each).get(PROJECT_TAG) == PROJECT]
    tags = {each.get("RootId", each["StackId"]): each["Tags"] for each in tagged}
    roots = [{**each, "Tags": tags[each["StackId"]]} for each in found if each["StackId"] in tags]
    return sorted(roots, key=suffix_of)


def tags_of(stack: Shape) -> dict[str, str]:
    """Return the tags of a root stack."""
    return normalize_tags(stack.get("Tags"))


def suffix_of(stack: Shape) -> str:
    """Return the environment of a root stack."""
    return tags_of(stack).get(ENVIRONMENT_TAG, "")


def _alarms(account: Account) -> list[str]:
    found = account.pages("cloudwatch", "describe_alarms", "MetricAlarms", StateValue="ALARM")
    return sorted(each["AlarmName"] for each in found if not each["AlarmName"].startswith(SCALES))


def _environment(account: Account, stack: Shape, alarms: Sequence[str]) -> Environment:
    tags, suffix = tags_of(stack), suffix_of(stack)
    owner = Ownership(suffix)
    drifted = stack.get("DriftInformation", {}).get("StackDriftStatus") == "DRIFTED"
    environment = Environment(
        suffix,
        tags.get("service", ""),
        stack["StackStatus"],
        alarms=tuple(name for name in alarms if owner.owns(Resource(ALARM, name))),
        drift=("the stack",) if drifted else (),
    )
    try:
        return _with_releases(account, Names(suffix), environment)
    except OperationsError as error:
        # Without its pipeline, it is one row of many, and not the end of the command.
        return replace(environment, release=str(error), has_failed=True)


def _with_releases(account: Account, names: Names, environment: Environment) -> Environment:
    newest = list(islice(executions(account, names), MOST_EXECUTIONS))
    if not newest:
        return environment
    status = newest[0]["status"]
    environment = replace(
        environment, release=_release(account, names, newest[0]), has_failed=status == "Failed"
    )
    # The filter knows nothing of what an earlier version of the pipeline has released.
    live = next(executions(account, names, released_by="Deploy"), None) or next(
        (each for each in newest if each["status"] == "Succeeded"), None
    )
    if live is None or not live.get("sourceRevisions"):
        return environment
    revision = live["sourceRevisions"][0]
    return replace(
        environment,
        commit=revision["revisionId"],
        subject=revision.get("revisionSummary", "").strip().partition("\n")[0],
        author=_author(account, names, revision["revisionId"]),
        since=live["lastUpdateTime"],
    )


def _release(account: Account, names: Names, summary: Summary) -> str:
    """Return where the newest release is; empty if it has succeeded."""
    status, execution = summary["status"], summary["pipelineExecutionId"]
    if status == "Succeeded":
        return ""
    commit = (summary.get("sourceRevisions") or [{}])[0].get("revisionId", "")[:7] or execution
    if status not in (*ACTIVE, "Failed"):
        return f"{commit} {why.note_of(summary)}"
    wanted = "InProgress" if status in ACTIVE else "Failed"
    if (action := with_status(actions(account, names, execution), wanted)) is None:
        return f"{commit} {status}"
    if wanted == "Failed":
        return f"{commit} failed in {title(action)}"
    waits = "waits for an approval" if kind(action) == "Manual" else "is running"
    return f"{commit} {waits} in {title(action)}"


def _author(account: Account, names: Names, commit: str) -> str:
    found = find_commit(account, names, commit)
    return str(found["author"].get("name", "")) if found else ""


def _listener_drift(account: Account, suffix: str) -> list[str]:
    """Return the listeners that have drifted; none while a deployment moves them."""
    if any(deployments(suffix, account)):
        return []
    traffic = listener_drift.inspect(suffix, account)
    return [f"the {each.route} listener" for each in traffic.drifted]
