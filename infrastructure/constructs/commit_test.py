"""The CodeBuild project that scans and tests a commit, with a role that can do nothing else."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.artifacts import SOURCE_OUTPUT, Artifacts
from infrastructure.constructs.buildspecs import PROJECT, inline
from infrastructure.constructs.dependency_audit import ADVISORIES, EXCEPTIONS, PROGRAM
from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.constructs.roles import allow, arn, create_role, service_principal

_FILES = {
    "bandit.txt": PROJECT / "requirements" / "bandit.txt",
    "install.py": PROJECT / "infrastructure" / "constructs" / "release_files" / "install.py",
    **{path.name: path for path in (PROGRAM, ADVISORIES, EXCEPTIONS)},
}


class CommitTest(Construct):
    """The CodeBuild project with its role, its log group and its report group.

    What it runs is the commit's own code, and that of everything that the commit installs (attack C1): it has
    no artifact to write, no registry to push to, and no parameter to read.
    """

    def __init__(self, scope: Construct, id_: str, *, config: Config, artifacts: Artifacts) -> None:
        super().__init__(scope, id_)
        self._names = names = config.names
        self.log_group = create_log_group(self, "Logs", name=names.test_log_group)
        # The build names it by its ARN: for a name CodeBuild would create a group, which no stack deletes and
        # for which the role has no permission (pitfalls F8, F10).
        self._reports = codebuild.ReportGroup(
            self,
            "Reports",
            report_group_name=names.report_group,
            delete_reports=True,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.project = self._project(artifacts, config.service.code_folder)

    def _project(self, artifacts: Artifacts, folder: str) -> codebuild.PipelineProject:
        variables = {"REPORT_GROUP_ARN": self._reports.report_group_arn, "SERVICE_FOLDER": folder}
        return codebuild.PipelineProject(
            self,
            "Project",
            project_name=self._names.test_project,
            description="Scans the code of a commit, and runs its tests",
            role=self._role(artifacts).without_policy_updates(),
            build_spec=inline("buildspec.yml", _FILES),
            environment=codebuild.BuildEnvironment(
                # The only maintained Ubuntu image with Python 3.9 (pitfall F1).
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0,
                compute_type=codebuild.ComputeType.SMALL,
            ),
            environment_variables={
                name: codebuild.BuildEnvironmentVariable(value=value) for name, value in variables.items()
            },
            # On the build host, for as long as CodeBuild keeps it: it costs nothing and needs no cleanup.
            cache=codebuild.Cache.local(codebuild.LocalCacheMode.CUSTOM),
            encryption_key=artifacts.key,
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self.log_group)
            ),
            grant_report_group_permissions=False,
            timeout=Duration.minutes(30),
            queued_timeout=Duration.hours(1),
        )

    def _role(self, artifacts: Artifacts) -> iam.Role:
        return create_role(
            self,
            "Role",
            name=self._names.qualified("test-role"),
            # https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
            assumed_by=service_principal(
                "codebuild", source_arn=arn(self, "codebuild", f"project/{self._names.test_project}")
            ),
            description="What the code of a commit may do: read the commit, write a log and a report",
            statements=[
                *artifacts.read_statements(SOURCE_OUTPUT),
                artifacts.inspect_statement(),
                allow_log_writes(self.log_group.log_group_arn),
                allow(
                    "ReportTheTests",
                    ["codebuild:CreateReport", "codebuild:UpdateReport", "codebuild:BatchPutTestCases"],
                    [self._reports.report_group_arn],
                ),
            ],
        )
