"""What S3 refuses: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList."""

import re
from collections.abc import Callable
from typing import Any

from local_aws.ministack.request_checks.rules import Checks, Rule

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
LONGEST_KEY = 1024
KEY = re.compile(rb"<Key>([^<]*)</Key>")


def _of_keys(test: Callable[[list[bytes]], bool]) -> Callable[[Any], bool]:
    """Return a test of the keys in a body, of tags or of objects."""
    return lambda body: test(KEY.findall(body))


CHECKS = Checks(
    states=(
        Rule(
            "Key",
            lambda key: len(str(key).encode()) > LONGEST_KEY,
            "KeyTooLongError",
            "Your key is too long",
            ("CreateMultipartUpload", "PutObject"),
        ),
        Rule(
            "body",
            _of_keys(lambda keys: any(key.lower().startswith(b"aws:") for key in keys)),
            "InvalidTag",
            "System tags cannot be added/updated by requester",
            ("PutBucketTagging", "PutObjectTagging"),
        ),
        Rule(
            "body",
            _of_keys(lambda keys: len(keys) > len(set(keys))),
            "InvalidTag",
            "Cannot provide multiple Tags with the same key",
            ("PutBucketTagging", "PutObjectTagging"),
        ),
        Rule(
            "body",
            _of_keys(lambda keys: not keys),
            "MalformedXML",
            "The XML you provided was not well-formed or did not validate against our published schema",
            ("DeleteObjects",),
        ),
    ),
)
