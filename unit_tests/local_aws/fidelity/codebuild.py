"""Wrong calls of CodeBuild."""

from collections.abc import Mapping
from typing import Any

from unit_tests.local_aws.fidelity.account import Account
from unit_tests.local_aws.fidelity.calls import Wrong
from unit_tests.local_aws.fidelity.suite import Suite

INVALID = "InvalidInputException"
ARN = "arn:aws:codebuild:us-east-1:123456789012"
GROUP = f"{ARN}:report-group/group"
REPORT = f"{ARN}:report/group:nope"
PROJECT = {
    "source": {"type": "NO_SOURCE", "buildspec": "version: 0.2\nphases: {build: {commands: [ls]}}"},
    "artifacts": {"type": "NO_ARTIFACTS"},
    "environment": {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_SMALL",
    },
    "serviceRole": "$role",
}
REPORTS = {"type": "TEST", "exportConfig": {"exportConfigType": "NO_EXPORT"}}


def prepare(account: Account) -> Mapping[str, Any]:
    """Create a project and a report group."""
    client = account.client("codebuild")
    client.create_project(name="project", **{**PROJECT, "serviceRole": account.role})
    client.create_report_group(name="group", **REPORTS)
    return {"role": account.role}


VALID: Mapping[str, Mapping[str, Any]] = {
    "BatchGetBuilds": {"ids": ["project:nope"]},
    "BatchGetProjects": {"names": ["project"]},
    "BatchGetReportGroups": {"reportGroupArns": [GROUP]},
    "BatchGetReports": {"reportArns": [REPORT]},
    "CreateProject": {"name": "new", **PROJECT},
    "CreateReportGroup": {"name": "new", **REPORTS},
    "DeleteProject": {"name": "project"},
    "DeleteReport": {"arn": REPORT},
    "DeleteReportGroup": {"arn": GROUP},
    "DescribeTestCases": {"reportArn": REPORT},
    "ListBuilds": {},
    "ListBuildsForProject": {"projectName": "project"},
    "ListProjects": {},
    "ListReportGroups": {},
    "ListReports": {},
    "ListReportsForReportGroup": {"reportGroupArn": GROUP},
    "StartBuild": {"projectName": "project"},
    "StopBuild": {"id": "project:nope"},
    "UpdateProject": {"name": "project"},
    "UpdateReportGroup": {"arn": GROUP},
}
WRONG = (
    Wrong("ids", ["nope"], INVALID),
    Wrong("id", "nope", INVALID),
    Wrong("id", "project:nope", "ResourceNotFoundException"),
    Wrong("name", "bad name!", INVALID),
    Wrong("names", ["bad name!"], INVALID),
    Wrong("name", "nope", "ResourceNotFoundException"),
    Wrong("projectName", "bad name!", INVALID),
    Wrong("projectName", "nope", "ResourceNotFoundException"),
    Wrong("reportGroupArns", ["zz"], INVALID),
    Wrong("reportArns", ["zz"], INVALID),
    Wrong("arn", "zz", INVALID),
    Wrong("arn", f"{GROUP}x", "ResourceNotFoundException"),
    Wrong("reportArn", "zz", INVALID),
    Wrong("reportArn", REPORT, "ResourceNotFoundException"),
    Wrong("reportGroupArn", "zz", INVALID),
    Wrong("reportGroupArn", f"{GROUP}x", "ResourceNotFoundException"),
    Wrong("nextToken", "zz", INVALID, ("DescribeTestCases",)),
    Wrong("serviceRole", "arn:aws:iam::123456789012:role/nope", INVALID),
)
CHANGES: tuple[tuple[str, Mapping[str, Any], str], ...] = (
    ("CreateProject", {"name": "project"}, "ResourceAlreadyExistsException"),
    ("CreateReportGroup", {"name": "group"}, "ResourceAlreadyExistsException"),
)
SUITE = Suite("codebuild", tuple(VALID), VALID, WRONG, CHANGES, prepare)
