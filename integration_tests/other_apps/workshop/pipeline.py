"""The second stack: the service and its pipeline, on what the first stack made."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_codepipeline_actions as actions
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from integration_tests.other_apps.workshop.group import DeploymentGroup
from integration_tests.other_apps.workshop.roles import role
from integration_tests.other_apps.workshop.service import Service

ALLOWED = (
    *("iam:PassRole", "sts:AssumeRole", "codecommit:Get*", "codecommit:List*", "codecommit:GitPull"),
    *("codecommit:UploadArchive", "codecommit:CancelUploadArchive"),
    *("codebuild:BatchGetBuilds", "codebuild:StartBuild"),
    *("codedeploy:CreateDeployment", "codedeploy:Get*", "codedeploy:RegisterApplicationRevision"),
    *("s3:Get*", "s3:List*", "s3:PutObject"),
)


class PipelineStack(cdk.Stack):
    """The service and its pipeline, on what the first stack made."""

    def __init__(self, scope: Construct, id_: str, *, made: dict[str, str]) -> None:
        super().__init__(scope, id_)
        code = codecommit.Repository.from_repository_name(self, "Code", made["Repository"])
        images = ecr.Repository.from_repository_name(self, "Images", made["Images"])
        project = codebuild.Project.from_project_name(self, "Project", made["Project"])
        task_role = iam.Role.from_role_arn(self, "TaskRole", made["TaskRole"])
        service = Service(self, "Service", images=images, task_role=task_role)
        group = DeploymentGroup(self, "DeploymentGroup", service=service, **self._parameters())
        source, build = codepipeline.Artifact("source"), codepipeline.Artifact("build")
        fetch = actions.CodeCommitSourceAction(
            action_name="Source", repository=code, output=source, branch="main"
        )
        make = actions.CodeBuildAction(action_name="Build", project=project, input=source, outputs=[build])
        deploy = actions.CodeDeployEcsDeployAction(
            action_name="Deploy",
            deployment_group=group.group,
            app_spec_template_input=build,
            task_definition_template_input=build,
        )
        pipeline = codepipeline.Pipeline(
            self,
            "Pipeline",
            role=role(self, "PipelineRole", "codepipeline", *ALLOWED),
            artifact_bucket=self._bucket(),
            stages=[
                codepipeline.StageProps(stage_name=name, actions=[action])
                for name, action in (("Source", fetch), ("Build", make), ("Deploy", deploy))
            ],
        )
        pipeline.node.add_dependency(group)
        cdk.CfnOutput(self, "Url", value=f"http://{service.balancer.load_balancer_dns_name}")
        cdk.CfnOutput(self, "PipelineName", value=pipeline.pipeline_name)

    def _parameters(self) -> dict[str, Any]:
        """Return the settings of the deployment group, which are parameters of the stack."""
        config = cdk.CfnParameter(
            self,
            "config",
            type="String",
            default="CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
            allowed_values=[
                "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
                "CodeDeployDefault.ECSAllAtOnce",
            ],
        )
        minutes = cdk.CfnParameter(self, "minutes", type="Number", default="10")
        return {"Config": config.value_as_string, "Minutes": minutes.value_as_number}

    def _bucket(self) -> s3.Bucket:
        bucket = s3.Bucket(
            self,
            "Artifacts",
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        )
        refused: list[tuple[str, str, dict[str, str]]] = [
            ("s3:PutObject", "StringNotEquals", {"s3:x-amz-server-side-encryption": "aws:kms"}),
            ("s3:*", "Bool", {"aws:SecureTransport": "false"}),
        ]
        for action, operator, values in refused:
            bucket.add_to_resource_policy(
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    actions=[action],
                    principals=[iam.AnyPrincipal()],
                    resources=[f"{bucket.bucket_arn}/*"],
                    conditions={operator: values},
                )
            )
        return bucket
