"""Reads the policies of resources from MiniStack; IAM decides on other accounts' buckets and keys."""

import json
import re
from typing import Any

from local_aws.ministack import signing
from local_aws.ministack.account_scope import account_of, bucket_owner, scope
from local_aws.ministack.compat import require
from local_aws.ministack.iam import Text, is_root

kms = require("services.kms", "_resolve_key")
s3 = require("services.s3", "_foreign_bucket_allows", "_verify_presigned_sigv4", "bucket_policy_for_arn")
sns = require("services.sns", "topic_policy_for_arn")
sqs = require("services.sqs", "queue_policy_for_arn")
lambda_svc = require("services.lambda_svc", "function_policy_for_arn")
logs = require("services.cloudwatch_logs", "_log_group_policies", "_resource_policies")

_CREDENTIAL = re.compile(r"Credential=([^/\s]+)/")


def patch_cross_account_access() -> None:
    """Leave the decisions on other accounts' buckets and keys to our own authorization."""
    _patch_buckets()
    signing.patch_keys_of_other_accounts()


def _patch_buckets() -> None:
    """Leave the decision on a role and another account's bucket to our own authorization.

    MiniStack still decides on the access keys of accounts.
    """
    original = s3._foreign_bucket_allows

    def allows(*arguments: Any) -> bool:
        signed = _CREDENTIAL.search(arguments[-1].get("authorization", ""))
        return (signed is not None and not is_root(signed[1])) or bool(original(*arguments))

    s3._foreign_bucket_allows = allows
    # The gateway has verified it; MiniStack does not know the root users' secret.
    s3._verify_presigned_sigv4 = lambda *_: None


def resource_policy(service: str, arn: str) -> Text | None:
    """Return the policy of a resource of S3, KMS, SNS, SQS, Lambda or Logs, or None if it has none."""
    with scope(bucket_owner(_bucket(arn)) if service == "s3" else account_of(arn)):
        return _resource_policy(service, arn)


def _bucket(arn: str) -> str:
    return arn.partition(":::")[2].partition("/")[0]


def _resource_policy(service: str, arn: str) -> Text | None:
    lookups = {
        "s3": s3.bucket_policy_for_arn,
        "sns": sns.topic_policy_for_arn,
        "sqs": sqs.queue_policy_for_arn,
        "lambda": lambda_svc.function_policy_for_arn,
    }
    if service == "kms":
        return (kms._resolve_key(arn) or {}).get("Policy")
    if service == "logs":
        return _logs_policy(arn)
    found = lookups[service](arn) if service in lookups else None
    return found[0] or None if found else None


def _logs_policy(arn: str) -> Text | None:
    """Return the account's policies of Logs and the group's own as one document: any of them may allow."""
    statements: list[Any] = []
    group = arn.partition(":log-group:")[2].partition(":")[0]
    own = logs._log_group_policies.get(group)
    for policy in [*logs._resource_policies.values(), *([own] if own else [])]:
        document = json.loads(policy["policyDocument"])
        found = document.get("Statement", [])
        statements += found if isinstance(found, list) else [found]
    return {"Version": "2012-10-17", "Statement": statements} if statements else None
