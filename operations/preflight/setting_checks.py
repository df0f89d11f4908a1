"""Checks of settings: who receives notifications, and whether the service is public without TLS."""

import re
from collections.abc import Iterator

from operations import stored_variables
from operations.confirmation import is_production
from operations.names import approval_rule
from operations.preflight.check import Check, Subject, failed, ok, warning
from operations.preflight.names import DEPLOYABLE

# Domains that belong to nobody (https://www.rfc-editor.org/rfc/rfc2606); a unit test compares with the app's.
RESERVED = re.compile(r"(.*[@.])example(\.(com|net|org))?", re.IGNORECASE)


def notifications(subject: Subject) -> Iterator[Check]:
    """Check that somebody receives the notifications of failures (pitfalls G3, G4)."""
    settings = subject.settings
    if settings.notification_channel != "email":
        yield ok("notifications", "not by e-mail: notificationChannel is other")
    elif RESERVED.fullmatch(settings.notification_email):
        remedy = (
            f"set notificationEmail of {subject.suffix} in cdk.json to an address that someone reads, "
            'or "notificationChannel": "other"'
        )
        yield warning("notifications", f"{settings.notification_email} is a placeholder", remedy)
    elif subject.status in DEPLOYABLE and not _is_confirmed(subject):
        remedy = "confirm it with the link in the e-mail from SNS; after 48 hours, deploy again for a new one"
        yield warning("notifications", f"{settings.notification_email} has not confirmed", remedy)
    else:
        yield ok("notifications", f"to {settings.notification_email}")


def secrets(subject: Subject) -> Iterator[Check]:
    """Check that every secret and parameter that the service declares has a value (pitfall E3)."""
    variables = stored_variables.read(subject.suffix, subject.account, subject.cdk_json)
    problems = [one for one in variables if one.problem]
    if problems:
        found = ", ".join(f"{one.parameter} is {one.problem}" for one in problems)
        commands = [f"python -m operations secrets set {subject.suffix} {one.name}" for one in problems]
        yield failed("secrets", found, "; ".join(commands))
    elif variables:
        yield ok("secrets", f"{', '.join(one.name for one in variables)} set")


def tls(subject: Subject) -> Iterator[Check]:
    """Check that the service is public over HTTP only where a setting allows it."""
    settings = subject.settings
    if settings.certificate_arn:
        yield ok("TLS", "the production listener has a certificate")
    elif settings.allow_http:
        yield ok("TLS", "none: HTTP without TLS, as allowHttp says")
    else:
        remedy = (
            f"set certificateArn of {subject.suffix} in cdk.json before the first deployment, or "
            '"allowHttp": true; -c certificateArn=... and -c allowHttp=true are also read here'
        )
        yield failed("TLS", "no certificate: the service would be public over HTTP", remedy)


def main_branch(subject: Subject) -> Iterator[Check]:
    """Check that main is protected where its pipeline releases to prod."""
    settings, rule = subject.settings, approval_rule(subject.suffix)
    to_prod = any(is_production(suffix) for suffix in (subject.suffix, *settings.promote_to))
    if settings.required_approvals:
        templates = subject.account.pages(
            "codecommit", "list_approval_rule_templates", "approvalRuleTemplateNames"
        )
        if rule in templates or subject.status is None:
            yield ok("main", f"takes pull requests with {settings.required_approvals} approvals")
        else:
            remedy = f"run python -m operations protect {subject.suffix}, and give developers its policy"
            yield warning("main", f"requiredApprovals is set, and there is no template {rule}", remedy)
    elif to_prod:
        remedy = f"set requiredApprovals of {subject.suffix} in cdk.json, deploy, and run operations protect"
        found = "requiredApprovals is 0: whoever may push to main, --force included, releases to prod"
        yield warning("main", found, remedy)
    else:
        yield ok("main", "requiredApprovals is 0: whoever may push to main releases")


def approvers(subject: Subject) -> Iterator[Check]:
    """Check that a promotion to this environment is approved by people whom it names."""
    settings = subject.settings
    if settings.promoted_from and not settings.approvers:
        remedy = f"set approvers of {subject.suffix} in cdk.json to the roles that approve releases to it"
        found = "none named: whoever may approve in the account of promotedFrom releases here"
        yield warning("approvers", found, remedy)


def _is_confirmed(subject: Subject) -> bool:
    account = subject.account
    topic = f"arn:aws:sns:{account.region}:{account.id}:{subject.names.topic}"
    found = account.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    return any(
        one["Protocol"] == "email" and one["SubscriptionArn"] != "PendingConfirmation" for one in found
    )
