"""Deploy a change of the platform to many environments: plan what it does to each, then deploy it in waves.

The CDK CLI synthesizes, compares and deploys each environment. A plan reads, and changes nothing.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from operations import immutable
from operations.account import Account
from operations.fleet.cdk import Cdk
from operations.fleet.differences import Difference, Folded, fold, parse
from operations.fleet.members import Member

# What a plan, and a deployment, call with clients that threads share.
SERVICES = ("cloudformation", "codedeploy", "ecs", "elbv2")


@dataclass(frozen=True)
class Prepared:
    """An environment with its assembly, what a deployment of it would change, and why it is refused."""

    member: Member
    assembly: Path
    differences: tuple[Difference, ...] = ()
    refusals: tuple[str, ...] = ()

    @property
    def suffix(self) -> str:
        """The name of the environment."""
        return self.member.suffix

    @property
    def state(self) -> str:
        """The result of the comparison in a word."""
        if self.refusals:
            return "refused"
        return "changes" if self.differences else "unchanged"


def prepare(members: Sequence[Member], cdk: Cdk, account: Account, *, at_once: int) -> list[Prepared]:
    """Synthesize and compare each environment once, `at_once` of them at a time.

    What CloudFormation would refuse midway is refused here, before anything is deployed.
    Raises `OperationsError` if an environment cannot be synthesized or compared.
    """
    # boto3's clients may be shared by threads, once they are made.
    for service in SERVICES:
        account.client(service)
    with ThreadPoolExecutor(at_once) as pool:
        try:
            return list(pool.map(lambda member: _prepare(member, cdk, account), members))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _prepare(member: Member, cdk: Cdk, account: Account) -> Prepared:
    assembly = cdk.synthesize(member.suffix)
    refusals = [str(each) for each in immutable.find(member.suffix, account, assembly)]
    if member.is_busy:
        refusals.insert(0, f"its stack is {member.stack_status}: wait for its end")
    if refusals:
        return Prepared(member, assembly, refusals=tuple(refusals))
    differences = parse(cdk.diff(member.suffix, assembly))
    return Prepared(member, assembly, tuple(differences))


def folded(prepared: Sequence[Prepared]) -> list[Folded]:
    """Return the differences, each once with the environments that have it."""
    by_suffix: Mapping[str, Sequence[Difference]] = {each.suffix: each.differences for each in prepared}
    return fold(by_suffix)
