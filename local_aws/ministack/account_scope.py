"""The account that a call of MiniStack's code is for, and the accounts of resources."""

from contextlib import AbstractContextManager

from local_aws.ministack.compat import require

responses = require("core.responses", "get_account_id", "get_region", "request_scope")
s3 = require("services.s3", "_bucket_owner_account")


def scope(account: str) -> AbstractContextManager[None]:
    """Read the stores of an account."""
    context: AbstractContextManager[None] = responses.request_scope(account, responses.get_region())
    return context


def account_of(arn: str) -> str:
    """Return the account of an ARN, or the caller's if it has none."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdigit() else str(responses.get_account_id())


def bucket_owner(bucket: str) -> str:
    """Return the account of a bucket, which its ARN does not have; the caller's for an unknown bucket."""
    return str(s3._bucket_owner_account(bucket) or responses.get_account_id())
