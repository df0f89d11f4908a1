"""Refuses what AWS cannot decrypt: repositories whose key is disabled, deleted, or not the caller's to use.

https://docs.aws.amazon.com/codecommit/latest/userguide/encryption.html
https://docs.aws.amazon.com/codecommit/latest/APIReference/API_CreateRepository.html#API_CreateRepository_Errors
"""

from botocore.model import OperationModel

from local_aws.core import encryption
from local_aws.core.api import CALLER, AwsError
from local_aws.core.conformance import declares
from local_aws.core.context import Context

DENIED = ("EncryptionKeyAccessDeniedException", "An encryption key could not be accessed.")
# State of the key -> code and message; the messages are those of the API reference.
ERRORS = {
    encryption.MISSING: ("EncryptionKeyNotFoundException", "No encryption key was found."),
    encryption.UNUSABLE: (
        "EncryptionKeyInvalidUsageException",
        "A KMS encryption key was used to try and encrypt or decrypt a repository, but either the repository "
        "or the key was not in a valid state to support the operation.",
    ),
    encryption.DENIED: DENIED,
    encryption.DISABLED: ("EncryptionKeyDisabledException", "The encryption key is disabled."),
}
# The AWS managed key, which every account has.
MANAGED = "alias/aws/codecommit"
UNAVAILABLE = ("EncryptionKeyUnavailableException", "The encryption key is not available.")


def check_key(context: Context, operation: OperationModel, key: str | None) -> None:
    """Raise the error for a repository's key that cannot be used, if the operation declares it.

    Without a key of its own, a repository has the AWS managed key, which is always there.
    """
    if key is None or key.endswith(MANAGED) or not declares(operation, UNAVAILABLE[0]):
        return
    found = encryption.find_key(context.client("kms"), key)
    code, message = ERRORS.get(found.state, UNAVAILABLE)
    if found.state == encryption.ENABLED and not _may_decrypt(context, found.arn):
        code, message = DENIED
    elif found.state == encryption.ENABLED:
        return
    if declares(operation, code):
        raise AwsError(code, message)


def _may_decrypt(context: Context, key: str) -> bool:
    """Return whether the caller may use a customer managed key: CodeCommit has no permissions of its own.

    CloudFormation, which has no access key, may do everything.
    """
    if not CALLER.get():
        return True
    try:
        context.authorize(CALLER.get(), "kms:Decrypt", key, "codecommit")
    except AwsError:
        return False
    return True
