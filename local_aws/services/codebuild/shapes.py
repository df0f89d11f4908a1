"""The API structures that CodeBuild keeps and returns, with the members that local_aws reads or writes.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Types.html
"""

from datetime import datetime
from typing import NotRequired, TypedDict


class SubmodulesShape(TypedDict):
    """API structure GitSubmodulesConfig."""

    fetchSubmodules: bool


class SourceShape(TypedDict):
    """API structure ProjectSource."""

    type: str
    location: NotRequired[str]
    buildspec: NotRequired[str]
    gitCloneDepth: NotRequired[int]
    gitSubmodulesConfig: NotRequired[SubmodulesShape]


class ArtifactsShape(TypedDict):
    """API structure ProjectArtifacts."""

    type: str
    location: NotRequired[str]
    path: NotRequired[str]
    name: NotRequired[str]
    namespaceType: NotRequired[str]
    packaging: NotRequired[str]
    overrideArtifactName: NotRequired[bool]
    encryptionDisabled: NotRequired[bool]


class EnvironmentVariableShape(TypedDict):
    """API structure EnvironmentVariable."""

    name: str
    value: str
    type: NotRequired[str]


class EnvironmentShape(TypedDict):
    """API structure ProjectEnvironment."""

    type: str
    image: str
    computeType: str
    environmentVariables: NotRequired[list[EnvironmentVariableShape]]
    privilegedMode: NotRequired[bool]
    imagePullCredentialsType: NotRequired[str]


class CacheShape(TypedDict):
    """API structure ProjectCache."""

    type: str


class CloudWatchLogsShape(TypedDict):
    """API structure CloudWatchLogsConfig."""

    status: str
    groupName: NotRequired[str]
    streamName: NotRequired[str]


class LogsConfigShape(TypedDict):
    """API structure LogsConfig."""

    cloudWatchLogs: NotRequired[CloudWatchLogsShape]


class TagShape(TypedDict):
    """API structure Tag."""

    key: str
    value: str


class ProjectShape(TypedDict):
    """API structure Project."""

    name: str
    arn: str
    source: SourceShape
    artifacts: ArtifactsShape
    environment: EnvironmentShape
    serviceRole: str
    cache: CacheShape
    timeoutInMinutes: int
    queuedTimeoutInMinutes: int
    tags: list[TagShape]
    created: datetime
    lastModified: datetime
    description: NotRequired[str]
    sourceVersion: NotRequired[str]
    encryptionKey: NotRequired[str]
    logsConfig: NotRequired[LogsConfigShape]


class PhaseContextShape(TypedDict):
    """API structure PhaseContext."""

    statusCode: str
    message: str


class BuildPhaseShape(TypedDict):
    """API structure BuildPhase. A running phase has no end, no duration, no status and no contexts."""

    phaseType: str
    startTime: datetime
    endTime: NotRequired[datetime]
    durationInSeconds: NotRequired[int]
    phaseStatus: NotRequired[str]
    contexts: NotRequired[list[PhaseContextShape]]


class BuildArtifactsShape(TypedDict):
    """API structure BuildArtifacts."""

    location: str
    encryptionDisabled: NotRequired[bool]
    md5sum: NotRequired[str]
    sha256sum: NotRequired[str]


class LogsLocationShape(TypedDict):
    """API structure LogsLocation."""

    cloudWatchLogs: CloudWatchLogsShape
    groupName: NotRequired[str]
    streamName: NotRequired[str]
    deepLink: NotRequired[str]
    cloudWatchLogsArn: NotRequired[str]


class ExportedVariableShape(TypedDict):
    """API structure ExportedEnvironmentVariable."""

    name: str
    value: str


class BuildShape(TypedDict):
    """API structure Build."""

    id: str
    arn: str
    buildNumber: int
    startTime: datetime
    buildStatus: str
    buildComplete: bool
    projectName: str
    phases: list[BuildPhaseShape]
    source: SourceShape
    artifacts: BuildArtifactsShape
    cache: CacheShape
    environment: EnvironmentShape
    serviceRole: str
    logs: LogsLocationShape
    timeoutInMinutes: int
    queuedTimeoutInMinutes: int
    initiator: str
    encryptionKey: str
    reportArns: list[str]
    currentPhase: NotRequired[str]
    endTime: NotRequired[datetime]
    sourceVersion: NotRequired[str]
    resolvedSourceVersion: NotRequired[str]
    exportedEnvironmentVariables: NotRequired[list[ExportedVariableShape]]


class ExportConfigShape(TypedDict):
    """API structure ReportExportConfig."""

    exportConfigType: str


class ReportGroupShape(TypedDict):
    """API structure ReportGroup."""

    arn: str
    name: str
    type: str
    exportConfig: ExportConfigShape
    status: str
    tags: list[TagShape]
    created: datetime
    lastModified: datetime


class TestReportSummaryShape(TypedDict):
    """API structure TestReportSummary."""

    total: int
    statusCounts: dict[str, int]
    durationInNanoSeconds: int


class ReportShape(TypedDict):
    """API structure Report."""

    arn: str
    type: str
    name: str
    reportGroupArn: str
    executionId: str
    status: str
    created: datetime
    expired: datetime
    exportConfig: ExportConfigShape
    truncated: bool
    testSummary: TestReportSummaryShape


class TestCaseShape(TypedDict):
    """API structure TestCase."""

    reportArn: str
    testRawDataPath: str
    prefix: str
    name: str
    status: str
    durationInNanoSeconds: int
    message: str
    expired: datetime
    testSuiteName: str
