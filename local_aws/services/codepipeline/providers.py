"""The action providers that a pipeline can use, and what the declaration of their actions may contain."""

from dataclasses import dataclass, field

_IMAGES = range(1, 5)


@dataclass(frozen=True)
class Provider:
    """One action type; `inputs` and `outputs` are the (minimum, maximum) numbers of artifacts.

    `unsupported` are configuration values that AWS has and local_aws does not implement.
    """

    category: str
    name: str
    required: frozenset[str]
    optional: frozenset[str]
    inputs: tuple[int, int]
    outputs: tuple[int, int]
    unsupported: dict[str, str] = field(default_factory=dict)
    timeout_minutes: int = 60


# The tables of https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference.html, and the
# timeouts of its "Quotas" page.
def _code_build(category: str) -> Provider:
    return Provider(
        category,
        "CodeBuild",
        required=frozenset({"ProjectName"}),
        optional=frozenset({"PrimarySource", "EnvironmentVariables", "BatchEnabled", "CombineArtifacts"}),
        inputs=(1, 5),
        outputs=(0, 5),
        unsupported={"BatchEnabled": "true", "CombineArtifacts": "true"},
        timeout_minutes=8 * 60,
    )


_PROVIDERS = (
    Provider(
        "Source",
        "CodeCommit",
        required=frozenset({"RepositoryName", "BranchName"}),
        optional=frozenset({"PollForSourceChanges", "OutputArtifactFormat"}),
        inputs=(0, 0),
        outputs=(1, 1),
        unsupported={"OutputArtifactFormat": "CODEBUILD_CLONE_REF"},
    ),
    _code_build("Build"),
    _code_build("Test"),
    Provider(
        "Deploy",
        "CodeDeployToECS",
        required=frozenset(
            {
                "ApplicationName",
                "DeploymentGroupName",
                "TaskDefinitionTemplateArtifact",
                "AppSpecTemplateArtifact",
            }
        ),
        optional=frozenset({"TaskDefinitionTemplatePath", "AppSpecTemplatePath"})
        | {f"Image{n}{key}" for n in _IMAGES for key in ("ArtifactName", "ContainerName")},
        inputs=(1, 5),
        outputs=(0, 0),
        timeout_minutes=5 * 24 * 60,
    ),
    Provider(
        "Deploy",
        "ECS",
        required=frozenset({"ClusterName", "ServiceName"}),
        optional=frozenset({"FileName", "DeploymentTimeout"}),
        inputs=(1, 1),
        outputs=(0, 0),
    ),
    Provider(
        "Deploy",
        "S3",
        required=frozenset({"BucketName", "Extract"}),
        optional=frozenset({"ObjectKey", "KMSEncryptionKeyARN", "CannedACL", "CacheControl"}),
        inputs=(1, 1),
        outputs=(0, 0),
        timeout_minutes=90,
    ),
    Provider(
        "Approval",
        "Manual",
        required=frozenset(),
        optional=frozenset({"NotificationArn", "CustomData", "ExternalEntityLink"}),
        inputs=(0, 0),
        outputs=(0, 0),
        timeout_minutes=7 * 24 * 60,
    ),
)

# The providers of AWS that local_aws does not implement, from the same page.
UNSUPPORTED_PROVIDERS = frozenset(
    {
        *(("Source", name) for name in ("S3", "ECR", "CodeStarSourceConnection")),
        *(("Build", "ECRBuildAndPublish"), ("Compute", "Commands"), ("Test", "DeviceFarm")),
        *(("Deploy", name) for name in ("EC2", "EKS", "Lambda", "CodeDeploy", "AppConfig")),
        *(("Deploy", name) for name in ("CloudFormation", "CloudFormationStackSet", "ServiceCatalog")),
        *(("Deploy", name) for name in ("CloudFormationStackInstances", "ElasticBeanstalk", "OpsWorks")),
        *(("Invoke", name) for name in ("Lambda", "StepFunctions", "InspectorScan", "CodePipeline")),
    }
)
PROVIDERS = {(provider.category, provider.name): provider for provider in _PROVIDERS}
