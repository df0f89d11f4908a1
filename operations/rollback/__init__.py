"""Go back to a version that was live, without a build.

While the tasks of the version before still stand, CodeDeploy points the listener back to them. Later,
CodePipeline rolls back the stage: it releases an earlier image again, through the same hook and alarms.
https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-rollback.html
"""

from collections.abc import Callable, Sequence

from operations.account import Account
from operations.errors import OperationsError
from operations.names import Names
from operations.quiesce import deployments
from operations.rollback import deployment, stage
from operations.rollback.versions import Version, chosen, find, is_named

Log = Callable[[str], None]
DEPLOY = "Deploy"


def stage_of(promotion: str) -> str:
    """Return the stage that releases to the environment itself, or to one that it promotes to."""
    return f"Promote-{promotion}" if promotion else DEPLOY


def go_back(
    suffix: str, account: Account, log: Log, *, to: str = "", promotion: str = "", dry_run: bool = False
) -> bool:
    """Go back to a commit or an execution, by default to the version before; return whether it succeeded.

    Raises `OperationsError`, and changes nothing, if there is no way back.
    """
    names = Names(suffix)
    found = find(account, names, stage_of(promotion))
    active = [] if promotion else list(deployments(suffix, account))
    if active:
        title = _before(found, active[0], to)
        deployment.check(account, active[0])
        if dry_run:
            log(f"would stop {active[0]}, so that {title} answers alone")
            return True
        log(f"stopping {active[0]}: the tasks of {title} still stand")
        deployment.stop(account, active[0])
        log(f"{title} answers alone")
        for waiting in stage.unreleased(account, names, found):
            log(f"{waiting} is released next: to prevent that, aws codepipeline stop-pipeline-execution")
        return True
    version = _target(found, names, to)
    stage.check(account, names, found, promotion)
    if dry_run:
        log(f"would release {version.title} again, with {version.image}")
        return True
    return stage.roll_back(account, names, stage_of(promotion), version, log)


def _before(found: Sequence[Version], active: str, to: str) -> str:
    """Return the title of the version whose tasks a deployment replaces."""
    live = next((one for one in found if one.is_live), None)
    title = live.title if live else "the version before"
    if to and (live is None or not is_named(live, to)):
        raise OperationsError(
            f"{active} is in progress and can only go back to {title}: leave --to out, or wait until it ends"
        )
    return title


def _target(found: Sequence[Version], names: Names, to: str) -> Version:
    """Return the version to release again."""
    if not to:
        live = next((number for number, one in enumerate(found) if one.is_live), -1)
        earlier = [one for one in found[live + 1 :] if not one.obstacle]
        if not earlier:
            raise OperationsError(
                f"{names.pipeline} has no earlier version that it can release again; none does after its own "
                "definition has changed: revert the commit (git revert) and push"
            )
        return earlier[0]
    version = chosen(found, to)
    if version.is_live:
        raise OperationsError(f"{version.title} is live already")
    if version.obstacle:
        raise OperationsError(
            f"{version.title} cannot be released again, because {version.obstacle}: revert to it (git "
            "revert) and push"
        )
    return version
