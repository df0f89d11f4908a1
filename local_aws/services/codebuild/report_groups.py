"""CodeBuild's operations on report groups and the test reports in them."""

import uuid
from datetime import timedelta
from typing import Any

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codebuild.errors import already_exists, invalid_input, not_found, unsupported
from local_aws.services.codebuild.junit import TestCase
from local_aws.services.codebuild.projects import Projects
from local_aws.services.codebuild.serializers import report_summary, serialize_test_case
from local_aws.services.codebuild.shapes import ReportGroupShape, ReportShape

# https://docs.aws.amazon.com/codebuild/latest/userguide/test-reporting.html
REPORT_LIFETIME = timedelta(days=30)


class ReportGroups(Projects):
    """Report groups, reports and test cases, by their ARN."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.report_groups: dict[str, ReportGroupShape] = {}
        self.reports: dict[str, ReportShape] = {}
        self.test_cases: dict[str, list[TestCase]] = {}

    def create_report_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Create a report group."""
        arn = self.report_group_arn(params["name"])
        if arn in self.report_groups:
            raise already_exists("Report group", arn)
        if params["type"] != "TEST" or params["exportConfig"].get("exportConfigType") != "NO_EXPORT":
            raise unsupported("local_aws has report groups of type TEST without export")
        group = ReportGroupShape(
            arn=arn,
            name=params["name"],
            type=params["type"],
            exportConfig=params["exportConfig"],
            status="ACTIVE",
            tags=params.get("tags", []),
            created=now(),
            lastModified=now(),
        )
        self.report_groups[arn] = group
        return {"reportGroup": group}

    def update_report_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """Change a report group's export settings and tags."""
        group = self.find_report_group(params["arn"])
        group["exportConfig"] = params.get("exportConfig", group["exportConfig"])
        group["tags"] = params.get("tags", group["tags"])
        group["lastModified"] = now()
        return {"reportGroup": group}

    def delete_report_group(self, params: dict[str, Any]) -> None:
        """Delete a report group; one with reports needs `deleteReports`."""
        arn = params["arn"]
        reports = self._reports_of(arn)
        if reports and not params.get("deleteReports", False):
            raise invalid_input(f"Cannot delete report group {arn}: it still has reports")
        for report in reports:
            self._remove_report(report)
        self.report_groups.pop(arn, None)

    def batch_get_report_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return several report groups, and the ARNs of those that do not exist."""
        arns = params["reportGroupArns"]
        return {
            "reportGroups": [self.report_groups[arn] for arn in arns if arn in self.report_groups],
            "reportGroupsNotFound": [arn for arn in arns if arn not in self.report_groups],
        }

    def list_report_groups(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the ARNs of the report groups."""
        return {"reportGroups": sorted(self.report_groups)}

    def batch_get_reports(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return several reports, and the ARNs of those that do not exist."""
        arns = params["reportArns"]
        return {
            "reports": [self.reports[arn] for arn in arns if arn in self.reports],
            "reportsNotFound": [arn for arn in arns if arn not in self.reports],
        }

    def list_reports(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the ARNs of the reports."""
        return {"reports": self._filtered(params, list(self.reports))}

    def list_reports_for_report_group(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the ARNs of a report group's reports."""
        group = self.find_report_group(params["reportGroupArn"])["arn"]
        return {"reports": self._filtered(params, self._reports_of(group))}

    def describe_test_cases(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the test cases of a report."""
        arn = params["reportArn"]
        if arn not in self.reports:
            raise not_found("Report", arn)
        filters = params.get("filter", {})
        cases = [serialize_test_case(case, self.reports[arn]) for case in self.test_cases[arn]]
        if status := filters.get("status"):
            cases = [case for case in cases if case["status"] == status]
        if keyword := filters.get("keyword"):
            cases = [case for case in cases if keyword in case["name"]]
        return {"testCases": cases}

    def delete_report(self, params: dict[str, Any]) -> None:
        """Delete a report."""
        self._remove_report(params["arn"])

    def add_report(self, group: str, build_arn: str, cases: list[TestCase]) -> str:
        """Add a report to the report group with ARN `group`; return the report's ARN."""
        name = str(uuid.uuid4())
        with self.lock:
            report_group = self.find_report_group(group)
            arn = self.context.arn("codebuild", f"report/{report_group['name']}:{name}")
            passed = all(case.status in ("SUCCEEDED", "SKIPPED") for case in cases)
            self.reports[arn] = ReportShape(
                arn=arn,
                type="TEST",
                name=name,
                reportGroupArn=group,
                executionId=build_arn,
                status="SUCCEEDED" if passed else "FAILED",
                created=now(),
                expired=now() + REPORT_LIFETIME,
                exportConfig=report_group["exportConfig"],
                truncated=False,
                testSummary=report_summary(cases),
            )
            self.test_cases[arn] = cases
        return arn

    def report_group_arn(self, name: str) -> str:
        """Return a report group's ARN."""
        return self.context.arn("codebuild", f"report-group/{name}")

    def find_report_group(self, arn: str) -> ReportGroupShape:
        """Return a report group; raises `ResourceNotFoundException`."""
        if arn not in self.report_groups:
            raise not_found("Report group", arn)
        return self.report_groups[arn]

    def _reports_of(self, group: str) -> list[str]:
        return [arn for arn, report in self.reports.items() if report["reportGroupArn"] == group]

    def _remove_report(self, arn: str) -> None:
        self.reports.pop(arn, None)
        self.test_cases.pop(arn, None)

    def _filtered(self, params: dict[str, Any], arns: list[str]) -> list[str]:
        """Apply the `filter` and the `sortOrder` of a request; the default order is the newest first."""
        status = params.get("filter", {}).get("status")
        found = [arn for arn in arns if status in (None, self.reports[arn]["status"])]
        return found if params.get("sortOrder") == "ASCENDING" else found[::-1]
