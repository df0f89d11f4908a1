"""The settings that preflight reads: who is notified, and whether the service is public without TLS."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infrastructure.config import notification_channel
from infrastructure.constructs import dependency_audit
from infrastructure.constructs.dependency_audit import audit
from operations import __main__ as command
from operations.catalogue import CDK_JSON
from operations.preflight import advisories
from operations.preflight.check import Subject, Verdict
from operations.preflight.setting_checks import RESERVED
from unit_tests.operations.account_fakes import FakeAccount
from unit_tests.operations.preflight_account import account_with, errors, findings, written

DEPLOYED = {("cloudformation", "describe_stacks"): {"Stacks": [{"StackStatus": "UPDATE_COMPLETE"}]}}
PENDING = {"Protocol": "email", "SubscriptionArn": "PendingConfirmation"}
CONFIRMED = {"Protocol": "email", "SubscriptionArn": "arn:aws:sns:us-east-1:123456789012:notifications-dev:1"}
# As the harness subscribes; it is no person.
QUEUE = {**CONFIRMED, "Protocol": "sqs"}
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"


@pytest.mark.usefixtures("left")
def test_the_shipped_placeholder_is_a_warning_until_it_is_replaced() -> None:
    """A topic whose subscription nobody gets (pitfall G4)."""
    check = findings()["notifications"]
    assert check.verdict is Verdict.WARNING
    assert check.found == "replace-me@example.com is a placeholder"
    assert "notificationEmail of dev in cdk.json" in check.remedy
    replaced = findings(context={"notificationEmail": "team@acme.io"})["notifications"]
    assert (replaced.verdict, replaced.found) == (Verdict.OK, "to team@acme.io")


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("stored_as", "verdict", "found"),
    [
        (None, Verdict.ERROR, "/dev/API_KEY is missing"),
        ("String", Verdict.ERROR, "/dev/API_KEY is stored as String, not SecureString"),
        ("SecureString", Verdict.OK, "API_KEY set"),
    ],
)
def test_a_secret_without_a_value_is_an_error_with_the_command_that_sets_it(
    tmp_path: Path, stored_as: str | None, verdict: Verdict, found: str
) -> None:
    """ECS would start no task, and CodeDeploy would wait an hour for one (pitfall E3)."""
    one = {"Name": "/dev/API_KEY", "Type": stored_as, "Version": 1, "LastModifiedDate": None}
    account = {("ssm", "describe_parameters"): {"Parameters": [one] if stored_as else []}}
    path = written(tmp_path, services={"sample-service": {"secrets": ["API_KEY"]}})
    check = findings(account, cdk_json=path)["secrets"]
    assert (check.verdict, check.found) == (verdict, found)
    assert ("python -m operations secrets set dev API_KEY" in check.remedy) == (verdict is Verdict.ERROR)


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(("days", "verdict"), [(30, Verdict.OK), (31, Verdict.WARNING)])
def test_an_old_database_of_advisories_is_a_warning(tmp_path: Path, days: int, verdict: Verdict) -> None:
    """The audit of Build is offline: it finds what the database knew on its day."""
    updated = (datetime.now(UTC).date() - timedelta(days=days)).isoformat()
    path = tmp_path / advisories.DATABASE
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"updated": updated, "packages": {}}))
    check = findings(cdk_json=written(tmp_path))["advisories"]
    assert (check.verdict, check.found.partition(",")[0]) == (verdict, f"of {updated}")
    assert ("run make advisories" in check.remedy) == (verdict is Verdict.WARNING)


def test_the_database_and_its_age_are_those_of_the_audit() -> None:
    assert CDK_JSON.parent / advisories.DATABASE == dependency_audit.ADVISORIES
    assert advisories.FRESH_DAYS == audit.FRESH_DAYS


def test_a_placeholder_is_what_the_app_says() -> None:
    assert RESERVED == notification_channel.RESERVED


@pytest.mark.usefixtures("left")
def test_another_channel_needs_no_address(tmp_path: Path) -> None:
    cdk_json = written(tmp_path, dev={"notificationEmail": None, "notificationChannel": "other"})
    assert findings(cdk_json=cdk_json)["notifications"].verdict is Verdict.OK


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("subscriptions", "verdict"),
    [
        ([], Verdict.WARNING),
        ([PENDING], Verdict.WARNING),
        ([QUEUE, PENDING], Verdict.WARNING),
        ([PENDING, CONFIRMED], Verdict.OK),
    ],
)
def test_an_address_that_did_not_confirm_is_a_warning_once_the_stack_is_deployed(
    subscriptions: list[Any], verdict: Verdict, tmp_path: Path
) -> None:
    """An expired or pending subscription gets nothing (pitfall G3)."""
    answers = {**DEPLOYED, ("sns", "list_subscriptions_by_topic"): {"Subscriptions": subscriptions}}
    assert findings(answers, cdk_json=written(tmp_path))["notifications"].verdict is verdict


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(
    ("settings", "context", "stops"),
    [
        ({}, {}, True),
        ({"allowHttp": False}, {}, True),
        ({"allowHttp": True}, {"allowHttp": "false"}, True),
        ({"allowHttp": True}, {}, False),
        ({}, {"allowHttp": "true"}, False),
        ({"certificateArn": CERTIFICATE}, {}, False),
        ({}, {"certificateArn": CERTIFICATE}, False),
    ],
)
def test_http_that_no_setting_allows_is_an_error(
    settings: dict[str, Any], context: dict[str, str], stops: bool, tmp_path: Path
) -> None:
    cdk_json = written(tmp_path, dev={"allowHttp": None, **settings})
    assert ("TLS" in errors(cdk_json=cdk_json, context=context)) is stops


@pytest.mark.parametrize(
    ("suffix", "allowed"), [("dev", True), ("staging", True), ("mine", True), ("prod", False)]
)
def test_of_the_shipped_environments_only_prod_needs_a_certificate(suffix: str, allowed: bool) -> None:
    assert Subject(suffix, FakeAccount({})).settings.allow_http is allowed


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(("arguments", "code"), [([], 1), (["-c", "allowHttp=true"], 0)])
def test_the_command_stops_for_prod_without_a_certificate_unless_http_is_allowed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int
) -> None:
    monkeypatch.setattr(command, "Account", lambda: account_with({}))
    assert command.main(["preflight", "prod", "--json", *arguments]) == code
    found = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert found["TLS"]["verdict"] == ("error" if code else "ok")


@pytest.mark.parametrize("given", ["allowHttp", "=true", ""])
def test_a_context_without_key_or_value_is_rejected(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["preflight", "dev", "-c", given])
    assert ended.value.code == 2
    assert f"{given!r} is no KEY=VALUE" in capsys.readouterr().err


@pytest.mark.usefixtures("left")
def test_a_push_to_main_that_reaches_prod_is_a_warning() -> None:
    """`requiredApprovals` is 0 by default: developers push to main."""
    assert findings()["main"].verdict is Verdict.OK
    check = findings(context={"promoteTo": "staging@222222222222,prod@333333333333"})["main"]
    assert check.verdict is Verdict.WARNING
    assert check.found.endswith("whoever may push to main, --force included, releases to prod")


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize(("templates", "verdict"), [([], Verdict.WARNING), (["approvals-dev"], Verdict.OK)])
def test_required_approvals_need_the_rule_of_protect(templates: list[str], verdict: Verdict) -> None:
    answers = {
        **DEPLOYED,
        ("codecommit", "list_approval_rule_templates"): {"approvalRuleTemplateNames": templates},
    }
    answers[("sns", "list_subscriptions_by_topic")] = {"Subscriptions": []}
    check = findings(answers, context={"requiredApprovals": "1"})["main"]
    assert check.verdict is verdict
    assert bool(check.remedy) == (verdict is Verdict.WARNING)


@pytest.mark.usefixtures("left")
def test_a_promotion_without_named_approvers_is_a_warning() -> None:
    source = {"promotedFrom": "qa@111111111111"}
    assert "approvers" not in findings()
    assert findings(context=source)["approvers"].verdict is Verdict.WARNING
    assert "approvers" not in findings(context={**source, "approvers": "arn:aws:iam::111111111111:role/a"})
