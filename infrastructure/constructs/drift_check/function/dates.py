"""What is right until a day: exceptions, the certificate, and what the audit knows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from .finding import Finding, Findings

# Enough for a person to update a dependency.
EXCEPTION_DAYS = timedelta(days=14)
# As in the audit, whose log says so too: dependency_audit/audit.py.
ADVISORY_DAYS = timedelta(days=30)
# ACM renews its own certificates 60 days before: one that has less left was not renewed.
# https://docs.aws.amazon.com/acm/latest/userguide/managed-renewal.html
CERTIFICATE_DAYS = timedelta(days=30)


def ending_exceptions(exceptions: Mapping[str, Mapping[str, str]], today: date) -> Findings:
    """Return the exceptions that have ended or soon do; `exceptions` has their last days by list and name."""
    return {
        f"the exception for {name} in {where}": Finding(
            f"The exception for {name} in {where} {'ended' if until < today.isoformat() else 'ends'} "
            f"on {until}: {'a' if until < today.isoformat() else 'from then on, a'} release with the finding "
            "fails. Update what has it, or renew the exception."
        )
        for where, each in exceptions.items()
        for name, until in each.items()
        if date.fromisoformat(until) - today <= EXCEPTION_DAYS
    }


def old_advisories(updated: str, today: date) -> Findings:
    """Return that the audit's database of advisories is old, if it is; `updated` is the day it was fetched.

    The text has no age, or it would be told again each day.
    """
    if today - date.fromisoformat(updated) <= ADVISORY_DAYS:
        return {}
    text = (
        f"The audit's database of advisories is of {updated}: Build finds no vulnerability of a package that "
        "was published later. Run make advisories, commit, and deploy."
    )
    return {"the database of advisories": Finding(text)}


def ending_certificate(acm: Any, certificate: str, today: date) -> Findings:
    """Return what is wrong with the certificate of the production listener."""
    if not certificate:
        return {}
    found = acm.describe_certificate(CertificateArn=certificate)["Certificate"]
    last = found["NotAfter"].date() if "NotAfter" in found else None
    if found["Status"] != "ISSUED":
        problem = f"has the status {found['Status']}"
    elif last and last - today <= CERTIFICATE_DAYS:
        problem = f"{'ended' if last < today else 'ends'} on {last}"
    else:
        return {}
    return {
        "the certificate": Finding(
            f"The certificate {certificate} {problem}: renew it, or users get an error in place of an answer."
        )
    }
