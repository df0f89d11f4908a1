"""Builds and test reports as the API returns them."""

from collections import Counter
from collections.abc import Collection

from local_aws.core.api import now
from local_aws.core.context import Context
from local_aws.services.codebuild.build_request import BuildRequest, cloudwatch_logs
from local_aws.services.codebuild.junit import STATUSES, TestCase
from local_aws.services.codebuild.shapes import (
    ArtifactsShape,
    BuildShape,
    LogsLocationShape,
    ProjectShape,
    ReportShape,
    TestCaseShape,
    TestReportSummaryShape,
)


def new_build(
    context: Context, project: ProjectShape, request: BuildRequest, build_uuid: str, number: int
) -> BuildShape:
    """Return the Build of a build that starts now; the caller sets `initiator` and `sourceVersion`."""
    name = project["name"]
    return BuildShape(
        id=f"{name}:{build_uuid}",
        arn=context.arn("codebuild", f"build/{name}:{build_uuid}"),
        buildNumber=number,
        startTime=now(),
        buildStatus="IN_PROGRESS",
        buildComplete=False,
        projectName=name,
        phases=[],
        source=project["source"],
        artifacts={"location": artifact_location(project["artifacts"])},
        cache=project["cache"],
        environment=project["environment"],
        serviceRole=project["serviceRole"],
        logs=logs_location(context, project, request),
        timeoutInMinutes=project["timeoutInMinutes"],
        queuedTimeoutInMinutes=project["queuedTimeoutInMinutes"],
        initiator="root",
        encryptionKey=project.get("encryptionKey", context.arn("kms", "alias/aws/s3")),
        reportArns=[],
    )


def logs_location(context: Context, project: ProjectShape, request: BuildRequest) -> LogsLocationShape:
    """Return LogsLocation: where a build writes its log."""
    config = cloudwatch_logs(project)
    group, stream = request.log_group, request.log_stream
    if group is None:
        return {"cloudWatchLogs": config}
    console = f"https://console.aws.amazon.com/cloudwatch/home?region={context.region}"
    return {
        "groupName": group,
        "streamName": stream,
        "deepLink": f"{console}#logEvent:group={group};stream={stream}",
        "cloudWatchLogsArn": context.arn("logs", f"log-group:{group}:log-stream:{stream}"),
        "cloudWatchLogs": config,
    }


def artifact_location(artifacts: ArtifactsShape) -> str:
    """Return the location that a build reports for its artifact until the artifact is uploaded."""
    if artifacts["type"] != "S3":
        return ""
    parts = (artifacts.get("location", ""), artifacts.get("path", ""), artifacts.get("name", ""))
    return "arn:aws:s3:::" + "/".join(part.strip("/") for part in parts if part.strip("/"))


def initiator(project: ProjectShape, overridden: ProjectShape) -> str:
    """Return the `initiator` of a build: the pipeline, whose name is the artifacts' folder, or root.

    A pipeline builds a project with whatever source from its own input artifact.
    """
    types = project["source"]["type"], overridden["source"]["type"]
    if types in (("CODEPIPELINE", "S3"), ("CODECOMMIT", "S3")):
        return f"codepipeline/{overridden['artifacts'].get('path', '').strip('/').partition('/')[0]}"
    return "root"


def serialize_test_case(case: TestCase, report: ReportShape) -> TestCaseShape:
    """Return TestCase."""
    return TestCaseShape(
        reportArn=report["arn"],
        testRawDataPath=case.file,
        prefix=case.prefix,
        name=case.name,
        status=case.status,
        durationInNanoSeconds=case.duration,
        message=case.message,
        expired=report["expired"],
        testSuiteName=case.suite,
    )


def report_summary(cases: Collection[TestCase]) -> TestReportSummaryShape:
    """Return TestReportSummary."""
    counts = Counter(case.status for case in cases)
    return TestReportSummaryShape(
        total=len(cases),
        statusCounts={status: counts[status] for status in STATUSES},
        durationInNanoSeconds=sum(case.duration for case in cases),
    )
