"""Verify that an approver of this environment approved the image of a release that another one promotes.

The parameter belongs to this account, so whoever owns the pipeline that promotes cannot write it. Its value
is the digest of the image, and that of the definition of the pipeline, which `operations approve` verifies.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

# Long enough for the release and its retries. A later release of the same image needs an approval of its own.
LONGEST = timedelta(hours=24)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class ApprovalError(Exception):
    """The image must not receive traffic; the message says who approved which image instead."""


@dataclass(frozen=True)
class Approvals:
    """What approvers wrote into `parameter`; the ARN of their sessions begins with `approver`."""

    parameter: str
    approver: str

    def check(self, ssm: Any, digest: str, now: datetime) -> str:
        """Return the ARN of who approved an image. Raises ApprovalError unless it is what was approved last.

        Only the history says who wrote a value. It is AWS's record, like the time:
        https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterHistory.html
        """
        pages = ssm.get_paginator("get_parameter_history").paginate(Name=self.parameter)
        newest = max(
            (each for page in pages for each in page["Parameters"]), key=lambda each: each["Version"]
        )
        by, when = newest["LastModifiedUser"], newest["LastModifiedDate"]
        approved, _, definition = newest["Value"].partition(" ")
        if approved != digest:
            raise self._error(digest, f"the approved image is {approved}")
        if not _DIGEST.fullmatch(definition):
            raise self._error(digest, "the approval names no definition of the pipeline that made the image")
        if not by.startswith(f"{self.approver}/"):
            raise self._error(digest, f"{by} wrote it, who is no session of {self.approver}")
        if now > when + LONGEST:
            raise self._error(digest, f"the approval of {when.isoformat()} has expired after {LONGEST}")
        return str(by)

    def _error(self, digest: str, why: str) -> ApprovalError:
        return ApprovalError(
            f"no approver has approved the image {digest} in {self.parameter} ({why}): an approver runs "
            "`python -m operations approve`, then the stage is retried; see docs/access.md"
        )
