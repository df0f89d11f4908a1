"""The context keys that a service adds to a call, as far as this project's policies may use them."""

from collections.abc import Callable, Mapping

from local_aws.iam.matching import Value
from local_aws.iam.request_parser import Call
from local_aws.iam.resources import ArnScope

CHANGING_A_BRANCH = frozenset({"CreateBranch", "CreateCommit", "DeleteBranch", "DeleteFile", "PutFile"})


def service_keys(call: Call, scope: ArnScope) -> dict[str, Value]:
    """Return the service's own context keys, as far as this project's policies may use them."""
    keys = _OWN_KEYS.get(call.service)
    return keys(call, scope) if keys else {}


def _named_keys(keys: Mapping[str, str]) -> Callable[[Call, ArnScope], dict[str, Value]]:
    """Return what reads context keys that are parameters, by the names of these."""

    def read(call: Call, _scope: ArnScope) -> dict[str, Value]:
        return {key: str(call.params[name]) for key, name in keys.items() if name in call.params}

    return read


def _alias(call: Call, _scope: ArnScope) -> dict[str, Value]:
    alias = str(call.params.get("KeyId", "")).rpartition(":")[2]
    return {"kms:requestalias": alias} if alias.startswith("alias/") else {}


def _cluster(call: Call, scope: ArnScope) -> dict[str, Value]:
    if "cluster" not in call.params:
        return {}
    cluster = str(call.params["cluster"])
    return {"ecs:cluster": scope.arn("ecs", f"cluster/{cluster.rpartition('/')[2]}")}


def _sent_events(call: Call, _scope: ArnScope) -> dict[str, Value]:
    """Return the keys of PutEvents.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html
    """
    if call.operation != "PutEvents":
        return {}
    entries = call.params.get("Entries") or []
    keys = {"events:source": "Source", "events:detail-type": "DetailType"}
    return {key: tuple(str(each.get(name, "")) for each in entries) for key, name in keys.items()}


def _references(call: Call, scope: ArnScope) -> dict[str, Value]:
    """Return codecommit:References, which operations that change a branch have.

    https://docs.aws.amazon.com/codecommit/latest/userguide/how-to-conditional-branch.html
    """
    if call.operation.startswith("MergePullRequest"):
        reference = scope.filters["pullrequestbranch"](str(call.params.get("pullRequestId", "")))
    elif call.operation.startswith("MergeBranchesBy"):
        reference = _full_reference(str(call.params.get("targetBranch", "")))
    elif call.operation in CHANGING_A_BRANCH:
        reference = _full_reference(str(call.params.get("branchName", "")))
    else:
        return {}
    return {"codecommit:references": reference} if reference else {}


def _full_reference(branch: str) -> str:
    return f"refs/heads/{branch}" if branch else ""


_OWN_KEYS: dict[str, Callable[[Call, ArnScope], dict[str, Value]]] = {
    "application-autoscaling": _named_keys(
        {
            "application-autoscaling:service-namespace": "ServiceNamespace",
            "application-autoscaling:scalable-dimension": "ScalableDimension",
        }
    ),
    "codecommit": _references,
    "ecs": _cluster,
    "events": _sent_events,
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
    "iam": _named_keys({"iam:awsservicename": "AWSServiceName"}),
    "kms": _alias,
    "sts": _named_keys({"sts:externalid": "ExternalId", "sts:rolesessionname": "RoleSessionName"}),
}
