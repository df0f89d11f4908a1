"""The drift check's function: when it runs, what it may do, and the memory that CloudFormation deletes."""

from __future__ import annotations

import json

from infrastructure.constructs import dependency_audit
from infrastructure.constructs.dependency_audit import audit
from infrastructure.constructs.drift_check.construct import WATCHED_TYPES
from infrastructure.constructs.drift_check.function import dates
from infrastructure.constructs.drift_check.function.listeners import IN_PROGRESS
from infrastructure.constructs.scaling.function import handler as suspender
from local_aws.core.resource_schemas import schema_of
from unit_tests.infrastructure.synthesized import Templates, plain, role, statements, templates_of

NAME = "drift-check-dev"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
# Named by a schema for resources that this app does not have: a function with a key of the customer.
NOT_NEEDED = {"kms:Decrypt"}


def variables(templates: Templates) -> dict[str, str]:
    found = templates.only("AWS::Lambda::Function", FunctionName=NAME).properties["Environment"]["Variables"]
    return {key: str(plain(value)) for key, value in found.items()}


def test_it_runs_once_a_day(templates: Templates) -> None:
    function = templates.only("AWS::Lambda::Function", FunctionName=NAME)
    rule = templates.only("AWS::Events::Rule", Name="drift-check-daily-dev").properties
    assert rule["ScheduleExpression"] == "rate(1 day)"
    assert [plain(target["Arn"]) for target in rule["Targets"]] == [f"<{function.id}.Arn>"]


def test_it_may_read_what_cloudformation_reads_of_the_watched_types(templates: Templates) -> None:
    """Otherwise every detection fails: CloudFormation reads as its caller (pitfall N11)."""
    allowed = {
        action for each in statements(role(templates, "drift-check-role-dev")) for action in each["Action"]
    }
    assert variables(templates)["WATCHED_TYPES"] == ",".join(WATCHED_TYPES)
    for watched in WATCHED_TYPES:
        schema = schema_of(watched)
        assert schema is not None
        assert set(schema["handlers"]["read"]["permissions"]) - NOT_NEEDED <= allowed, watched


def test_it_changes_nothing_but_its_memory_and_the_scan(templates: Templates) -> None:
    reads = ("Describe", "Get", "List", "Detect", "BatchDescribe")
    allowed = {
        action: plain(each["Resource"])
        for each in statements(role(templates, "drift-check-role-dev"))
        for action in each["Action"]
        if not action.partition(":")[2].startswith(reads)
    }
    assert allowed.keys() == {
        "ecr:StartImageScan",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sns:Publish",
        "ssm:PutParameter",
    }
    parameter = "arn:aws:ssm:us-east-1:<AWS::AccountId>:parameter/drift-check-dev/told"
    assert allowed["ssm:PutParameter"] == [parameter]


def test_it_knows_the_day_of_the_advisories_that_build_gets(templates: Templates) -> None:
    database = json.loads(dependency_audit.ADVISORIES.read_text("utf-8"))
    assert variables(templates)["ADVISORIES_UPDATED"] == database["updated"]
    assert dates.ADVISORY_DAYS.days == audit.FRESH_DAYS


def test_only_with_a_certificate_it_may_read_one(templates: Templates) -> None:
    assert variables(templates)["CERTIFICATE"] == ""
    https = templates_of(certificateArn=CERTIFICATE)
    assert variables(https)["CERTIFICATE"] == CERTIFICATE
    found = [
        each
        for each in statements(role(https, "drift-check-role-dev"))
        if each["Sid"] == "ReadTheCertificate"
    ]
    assert [(each["Action"], each["Resource"]) for each in found] == [
        (["acm:DescribeCertificate"], [CERTIFICATE])
    ]
    assert "ReadTheCertificate" not in {
        each["Sid"] for each in statements(role(templates, "drift-check-role-dev"))
    }


def test_it_knows_the_exceptions_of_the_audit_and_of_the_image_scan() -> None:
    exception = {"finding": "CVE-2026-1", "until": "2026-12-31", "reason": "the service reads no XML"}
    found = json.loads(variables(templates_of(imageScanExceptions=[exception]))["EXCEPTIONS"])
    assert found["imageScanExceptions"] == {"CVE-2026-1": "2026-12-31"}
    assert "CVE-2026-7246" in found["the dependency audit"]


def test_what_it_has_told_is_deleted_with_the_stack(templates: Templates) -> None:
    parameter = templates.only("AWS::SSM::Parameter", Name="/drift-check-dev/told")
    assert parameter.properties["Value"] == "{}"
    assert parameter.body.get("DeletionPolicy", "Delete") == "Delete"


def test_both_functions_know_the_same_states_of_a_deployment_in_progress() -> None:
    assert IN_PROGRESS == suspender.IN_PROGRESS
