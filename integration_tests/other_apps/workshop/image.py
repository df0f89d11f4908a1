"""The first stack: the repositories of code and images, and the project."""

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from integration_tests.other_apps.workshop.roles import role

NAME = "shop"
OUTPUTS = ("Repository", "Images", "Project", "TaskRole")


class ImageStack(cdk.Stack):
    """The repositories of code and images, and the project."""

    def __init__(self, scope: Construct, id_: str) -> None:
        super().__init__(scope, id_)
        about = cdk.CfnParameter(self, "about", type="String", default="The code of the shop")
        task_role = role(self, "TaskRoleOfShop", "ecs-tasks")
        task_role.add_managed_policy(
            iam.ManagedPolicy.from_aws_managed_policy_name("service-role/AmazonECSTaskExecutionRolePolicy")
        )
        images = ecr.Repository(self, "ImageRepository", image_scan_on_push=True)
        code = codecommit.Repository(
            self, "CodeRepository", repository_name=NAME, description=about.value_as_string
        )
        project = codebuild.Project(
            self,
            "BuildProject",
            role=role(
                self,
                "BuildRole",
                "codebuild",
                *(f"ecr:{name}" for name in ("GetAuthorizationToken", "BatchCheckLayerAvailability")),
                *(f"ecr:{name}" for name in ("InitiateLayerUpload", "UploadLayerPart")),
                *(f"ecr:{name}" for name in ("CompleteLayerUpload", "PutImage")),
                *("s3:Get*", "s3:List*", "s3:PutObject", "secretsmanager:GetSecretValue"),
            ),
            environment=codebuild.BuildEnvironment(
                build_image=codebuild.LinuxBuildImage.STANDARD_5_0,
                compute_type=codebuild.ComputeType.SMALL,
                privileged=True,
            ),
            environment_variables={
                "IMAGES": codebuild.BuildEnvironmentVariable(value=images.repository_uri),
                "ROLE": codebuild.BuildEnvironmentVariable(value=task_role.role_arn),
            },
            source=codebuild.Source.code_commit(repository=code, branch_or_ref="main"),
        )
        values = (code.repository_name, images.repository_name, project.project_name, task_role.role_arn)
        for name, value in zip(OUTPUTS, values, strict=True):
            cdk.CfnOutput(self, name, export_name=f"shop{name}", value=value)
