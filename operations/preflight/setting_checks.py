"""Checks of settings: who receives notifications, and whether the service is public without TLS."""

import re
from collections.abc import Iterator

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


def _is_confirmed(subject: Subject) -> bool:
    account = subject.account
    topic = f"arn:aws:sns:{account.region}:{account.id}:{subject.names.topic}"
    found = account.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
    return any(
        one["Protocol"] == "email" and one["SubscriptionArn"] != "PendingConfirmation" for one in found
    )
