"""The CodeBuild project that builds a commit's image and fills in what is deployed."""

from __future__ import annotations

import json
from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infrastructure.config.settings import Config
from infrastructure.constructs.artifacts import BUILD_OUTPUT, SOURCE_OUTPUT, Artifacts
from infrastructure.constructs.buildspecs import PROJECT, inline
from infrastructure.constructs.log_groups import allow_log_writes, create_log_group
from infrastructure.constructs.promotion import build_variable, role_arns
from infrastructure.constructs.roles import allow, arn, create_role, service_principal
from infrastructure.constructs.signing_key import SigningKey
from infrastructure.constructs.stored_variables import stored_variable_statements, stored_variables
from infrastructure.constructs.task_resources import TaskResources
from infrastructure.naming import CONTAINER_NAME, REGION

ANONYMOUS = "anonymous"
RELEASE_FILES = ("fill.py", "find_secrets.py", "install.py", "try_image.py")
# What the build uses in place of a commit's own.
_FILES = {
    **{name: Path(__file__).with_name("release_files") / name for name in RELEASE_FILES},
    "taskdef.json": PROJECT / "taskdef.json",
    "appspec.yaml": PROJECT / "appspec.yaml",
    "sign.py": Path(__file__).with_name("image_signing") / "sign.py",
    "signing.txt": PROJECT / "requirements" / "signing.txt",
}
_PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)
# These actions support no resource.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
# https://docs.aws.amazon.com/AmazonECR/latest/public/security-iam-awsmanpol.html
_SIGN_IN = (
    allow("SignInToTheRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
    # Pulls without a login are refused if others pull from the same address (pitfall F11).
    allow("SignInToPublicEcr", ["ecr-public:GetAuthorizationToken", "sts:GetServiceBearerToken"], ["*"]),
)


def _task_environment(config: Config) -> dict[str, str]:
    """Return the variable from which the build extends the container's environment."""
    given = [{"name": name, "value": value} for name, value in config.service.environment]
    return {"TASK_ENVIRONMENT": json.dumps(given)} if given else {}


class Build(Construct):
    """The CodeBuild project with its role, its log group and its Docker Hub user."""

    def __init__(
        self, scope: Construct, id_: str, *, config: Config, artifacts: Artifacts, task: TaskResources
    ) -> None:
        super().__init__(scope, id_)
        self._names = names = config.names
        self.signing_key = SigningKey(
            self,
            "SigningKey",
            names=names,
            signer=arn(self, "iam", f"role/{names.qualified('build-role')}", region=False),
            verifiers=role_arns(self, config.promote_to, "test-traffic-hook-role"),
        )
        self.log_group = create_log_group(self, "Logs", name=names.build_log_group)
        self._username = ssm.StringParameter(
            self,
            "DockerHubUsername",
            parameter_name=names.docker_hub_username,
            string_value=ANONYMOUS,
            description="Who pulls from Docker Hub; anonymous needs no password",
        )
        self.role = self._role(config, artifacts, task)
        self.project = self._project(artifacts, self._variables(config, task))

    def _variables(self, config: Config, task: TaskResources) -> dict[str, str]:
        names = self._names
        return {
            "IMAGE_REPOSITORY_URI": task.images.repository_uri,
            "TASK_FAMILY": names.task_family,
            "TASK_ROLE_ARN": task.task_role.role_arn,
            "EXECUTION_ROLE_ARN": task.execution_role.role_arn,
            "TASK_CPU": str(config.task_cpu),
            "TASK_MEMORY": str(config.task_memory),
            "TASK_LOG_GROUP": task.log_group.log_group_name,
            "CONTAINER_NAME": CONTAINER_NAME,
            "CONTAINER_PORT": str(config.service.port),
            "HEALTH_PATH": config.service.health_path,
            "TEST_TRAFFIC_HOOK": names.traffic_hook,
            "DOCKER_HUB_PASSWORD_PARAMETER": names.docker_hub_password,
            "SIGNING_KEY": f"alias/{names.signing_key}",
            "SOURCE_URL": f"https://git-codecommit.{REGION}.amazonaws.com/v1/repos/{names.repository}",
            **_task_environment(config),
            **stored_variables(config.service, names),
            **({"PROMOTE_TO": build_variable(self, config)} if config.promote_to else {}),
        }

    def _project(self, artifacts: Artifacts, variables: dict[str, str]) -> codebuild.PipelineProject:
        environment = {
            name: codebuild.BuildEnvironmentVariable(value=value) for name, value in variables.items()
        }
        environment["DOCKER_HUB_USERNAME"] = codebuild.BuildEnvironmentVariable(
            type=codebuild.BuildEnvironmentVariableType.PARAMETER_STORE, value=self._username.parameter_name
        )
        return codebuild.PipelineProject(
            self,
            "Project",
            project_name=self._names.build_project,
            description="Builds and pushes a commit's image, and fills in what is to be deployed",
            role=self.role.without_policy_updates(),
            build_spec=inline("buildspec-image.yml", _FILES),
            environment=codebuild.BuildEnvironment(
                # The only maintained Ubuntu image with Python 3.9 (pitfall F1).
                build_image=codebuild.LinuxBuildImage.STANDARD_7_0,
                compute_type=codebuild.ComputeType.SMALL,
                privileged=True,  # `docker build` needs it (pitfall F3).
            ),
            environment_variables=environment,
            # On the build host, for as long as CodeBuild keeps it: it costs nothing and needs no cleanup.
            cache=codebuild.Cache.local(codebuild.LocalCacheMode.DOCKER_LAYER),
            encryption_key=artifacts.key,
            logging=codebuild.LoggingOptions(
                cloud_watch=codebuild.CloudWatchLoggingOptions(log_group=self.log_group)
            ),
            grant_report_group_permissions=False,
            timeout=Duration.minutes(30),
            queued_timeout=Duration.hours(1),
        )

    def _role(self, config: Config, artifacts: Artifacts, task: TaskResources) -> iam.Role:
        return create_role(
            self,
            "Role",
            name=self._names.qualified("build-role"),
            # https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html
            assumed_by=service_principal(
                "codebuild", source_arn=arn(self, "codebuild", f"project/{self._names.build_project}")
            ),
            description="What a build does: read a commit, push and sign its image, write its log",
            statements=[
                *artifacts.read_statements(SOURCE_OUTPUT),
                *artifacts.write_statements(BUILD_OUTPUT),
                *artifacts.build_statements(),
                allow_log_writes(self.log_group.log_group_arn),
                *_SIGN_IN,
                allow("PushTheImage", _PUSH, [task.images.repository_arn]),
                self.signing_key.sign_statement(),
                allow("ReadDockerHubUsername", ["ssm:GetParameters"], [self._username.parameter_arn]),
                # A SecureString under the AWS managed key needs no permission on the key.
                allow(
                    "ReadDockerHubPassword",
                    ["ssm:GetParameter"],
                    [arn(self, "ssm", f"parameter{self._names.docker_hub_password}")],
                ),
                # Whether they exist, not their values.
                *stored_variable_statements(
                    self, config, sid="FindTheSecretsOfTheService", action="ssm:ListTagsForResource"
                ),
            ],
        )


def run_statement(sid: str, project: codebuild.IProject) -> iam.PolicyStatement:
    """Allow an action to start and to follow builds of a project."""
    builds = ["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild"]
    return allow(sid, builds, [project.project_arn])
