"""Stop a deployment, so that CodeDeploy points the listener back to the tasks that it replaces.

That works until those tasks are terminated, after the shift as well: `terminationWaitMinutes` is how long.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_StopDeployment.html
"""

from collections.abc import Mapping
from typing import Any

from operations.account import Account
from operations.clock import clock
from operations.errors import OperationsError
from operations.waiting import NotYetError, wait_for

DEADLINE_SECONDS = 900.0
ENDED = frozenset({"Succeeded", "Failed", "Stopped"})


def check(account: Account, deployment: str) -> None:
    """Raise `OperationsError` if the deployment is itself a rollback."""
    if _info(account, deployment).get("creator") == "codeDeployRollback":
        raise OperationsError(f"{deployment} is a rollback already: wait until it ends")


def stop(account: Account, deployment: str) -> None:
    """Stop a deployment and wait for its rollback. Raises `OperationsError` if the rollback fails."""
    account.client("codedeploy").stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)

    def look() -> None:
        info = _info(account, deployment)
        rollback = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
        status = _info(account, rollback)["status"] if rollback else info["status"]
        if status not in ENDED:
            raise NotYetError(f"{rollback or deployment} is {status}")
        if rollback and status != "Succeeded":
            raise OperationsError(f"the rollback {rollback} of {deployment} is {status}: look at it at once")

    with clock(f"waiting for the rollback of {deployment}"):
        wait_for(f"rollback of {deployment}", look, deadline=DEADLINE_SECONDS)


def _info(account: Account, deployment: str) -> Mapping[str, Any]:
    answer = account.client("codedeploy").get_deployment(deploymentId=deployment)
    info: Mapping[str, Any] = answer["deploymentInfo"]
    return info
