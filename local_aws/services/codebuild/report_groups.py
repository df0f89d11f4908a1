"""CodeBuild's report groups and the test reports in them."""

import uuid
from datetime import timedelta
from typing import Any

from local_aws.core.api import AwsError, now
from local_aws.core.context import Context
from local_aws.services.codebuild.reports import TestCase, summary
from local_aws.services.codebuild.validation import Projects

# CodeBuild keeps the raw data of a report for 30 days.
EXPIRY = timedelta(days=30)

Record = dict[str, Any]


class Reports(Projects):
    """The operations on report groups and reports, all of them known by their ARN."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.report_groups: dict[str, Record] = {}
        self.reports: dict[str, Record] = {}
        self.test_cases: dict[str, list[TestCase]] = {}

    def create_report_group(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = self.report_group_arn(params["name"])
        if arn in self.report_groups:
            raise AwsError("ResourceAlreadyExistsException", f"Report group already exists: {arn}")
        if params["type"] != "TEST" or params["exportConfig"].get("exportConfigType") != "NO_EXPORT":
            raise AwsError(
                "UnsupportedOperation", "local_aws has report groups of type TEST without export", 501
            )
        group = {
            "tags": [],
            **params,
            "arn": arn,
            "status": "ACTIVE",
            "created": now(),
            "lastModified": now(),
        }
        self.report_groups[arn] = group
        return {"reportGroup": group}

    def update_report_group(self, params: dict[str, Any]) -> dict[str, Any]:
        group = self._report_group(params["arn"])
        group |= {name: value for name, value in params.items() if name in ("exportConfig", "tags")}
        group["lastModified"] = now()
        return {"reportGroup": group}

    def delete_report_group(self, params: dict[str, Any]) -> None:
        """Delete a report group; with reports in it only with `deleteReports`."""
        arn = params["arn"]
        inside = [report for report, record in self.reports.items() if record["reportGroupArn"] == arn]
        if inside and not params.get("deleteReports", False):
            raise AwsError("InvalidInputException", f"Cannot delete report group {arn}: it still has reports")
        for report in inside:
            self._remove_report(report)
        self.report_groups.pop(arn, None)

    def batch_get_report_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        arns = params["reportGroupArns"]
        return {
            "reportGroups": [self.report_groups[arn] for arn in arns if arn in self.report_groups],
            "reportGroupsNotFound": [arn for arn in arns if arn not in self.report_groups],
        }

    def list_report_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"reportGroups": sorted(self.report_groups)}

    def batch_get_reports(self, params: dict[str, Any]) -> dict[str, Any]:
        arns = params["reportArns"]
        return {
            "reports": [self.reports[arn] for arn in arns if arn in self.reports],
            "reportsNotFound": [arn for arn in arns if arn not in self.reports],
        }

    def list_reports(self, params: dict[str, Any]) -> dict[str, Any]:
        return {"reports": self._listed(params, self.reports)}

    def list_reports_for_report_group(self, params: dict[str, Any]) -> dict[str, Any]:
        group = self._report_group(params["reportGroupArn"])["arn"]
        inside = {arn: record for arn, record in self.reports.items() if record["reportGroupArn"] == group}
        return {"reports": self._listed(params, inside)}

    def describe_test_cases(self, params: dict[str, Any]) -> dict[str, Any]:
        arn = params["reportArn"]
        if arn not in self.reports:
            raise AwsError("ResourceNotFoundException", f"Report cannot be found: {arn}")
        wanted = params.get("filter", {})
        found = [_shown(case, self.reports[arn]) for case in self.test_cases[arn]]
        if status := wanted.get("status"):
            found = [case for case in found if case["status"] == status]
        if keyword := wanted.get("keyword"):
            found = [case for case in found if keyword in case["name"]]
        return {"testCases": found}

    def delete_report(self, params: dict[str, Any]) -> None:
        self._remove_report(params["arn"])

    def add_report(self, group: str, build_arn: str, cases: list[TestCase]) -> str:
        """Put the test cases of a build into the report group with ARN `group`; return the report's ARN."""
        name = str(uuid.uuid4())
        with self.lock:
            record = self._report_group(group)
            arn = self.context.arn("codebuild", f"report/{record['name']}:{name}")
            passed = all(case.status in ("SUCCEEDED", "SKIPPED") for case in cases)
            self.reports[arn] = {
                "arn": arn,
                "type": "TEST",
                "name": name,
                "reportGroupArn": group,
                "executionId": build_arn,
                "status": "SUCCEEDED" if passed else "FAILED",
                "created": now(),
                "expired": now() + EXPIRY,
                "exportConfig": record["exportConfig"],
                "truncated": False,
                "testSummary": summary(cases),
            }
            self.test_cases[arn] = cases
        return arn

    def report_group_arn(self, name: str) -> str:
        """Return a report group's ARN."""
        return self.context.arn("codebuild", f"report-group/{name}")

    def _report_group(self, arn: str) -> Record:
        if arn not in self.report_groups:
            raise AwsError("ResourceNotFoundException", f"Report group cannot be found: {arn}")
        return self.report_groups[arn]

    def _remove_report(self, arn: str) -> None:
        self.reports.pop(arn, None)
        self.test_cases.pop(arn, None)

    def _listed(self, params: dict[str, Any], reports: dict[str, Record]) -> list[str]:
        status = params.get("filter", {}).get("status")
        found = [arn for arn, record in reports.items() if status in (None, record["status"])]
        # The newest first, unless asked otherwise.
        return found if params.get("sortOrder") == "ASCENDING" else found[::-1]


def _shown(case: TestCase, report: Record) -> dict[str, Any]:
    return {
        "reportArn": report["arn"],
        "testRawDataPath": case.file,
        "prefix": case.prefix,
        "name": case.name,
        "status": case.status,
        "durationInNanoSeconds": case.duration,
        "message": case.message,
        "expired": report["expired"],
        "testSuiteName": case.suite,
    }
