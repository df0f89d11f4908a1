"""Why a permission is there that no scenario asks for, or a statement that nobody would miss.

A key is policy, statement and action; without a policy it is of every policy that has the statement, without
an action it is of the whole statement. What has no line here has to be used, or goes.
"""

_OWN_ROLES = "each action has a role of its own, but a pipeline's role needs it for actions that have none"
_LOCATION = "AWS's policies for CodeBuild and CodePipeline have it; here nobody asks where a bucket is"
_VERSIONS = "CodePipeline names a version where the bucket keeps versions; ours keeps none"
_LAYERS = "builds and tasks share this machine's layers; on AWS every task fetches them"
_AT_ONCE = "AmazonECSTaskExecutionRolePolicy has it; our engine asks for the layers at once"
_GUIDE = "the CodePipeline user guide lists it for this action; what AWS asks for cannot be seen from here"
_ONE_ACCOUNT = (
    "local_aws is one account, where a role's own policy is enough; from another, AWS asks for both"
)
_GITHUB = "only GitHub's own token opens it, which nothing here can make"
_NO_INTERFACES = "Lambda puts a function into its VPC with it; local_aws makes no network interfaces"
_STOPPED = "only a run that is stopped asks for it"

UNUSED_PERMISSION_ALLOWLIST: dict[tuple[str, str, str], str] = {
    # What every reader and writer of artifacts has.
    ("", "FetchArtifacts", "s3:GetObjectVersion"): _VERSIONS,
    ("", "FindArtifactsToFetch", ""): _LOCATION,
    ("", "FindWhereToStoreArtifacts", ""): _LOCATION,
    ("", "StoreArtifacts", "s3:AbortMultipartUpload"): "only an artifact above 8 MB is sent in parts",
    ("", "EncryptArtifacts", "kms:Decrypt"): "only an upload in parts reads its own parts back",
    ("build-role", "DecryptArtifacts", ""): "who writes in parts may decrypt already",
    # The pipeline.
    **{
        ("pipeline-role", sid, ""): _OWN_ROLES
        for sid in ("FetchArtifacts", "DecryptArtifacts", "StoreArtifacts", "EncryptArtifacts")
    },
    ("pipeline-role", "TakeOnTheActionsRoles", ""): (
        "in one account the actions' trust is enough; in another, AWS asks for both"
    ),
    ("source-action-role", "FetchTheCommit", "codecommit:CancelUploadArchive"): _STOPPED,
    ("build-action-role", "RunTheBuild", "codebuild:StopBuild"): _STOPPED,
    **{
        (role, "RegisterTheRevision", f"codedeploy:{action}"): _GUIDE
        for role in ("deploy-action-role", "cross-account-role")
        for action in ("GetApplication", "GetApplicationRevision")
    },
    # The build.
    ("build-role", "PushTheImage", "ecr:GetDownloadUrlForLayer"): "the ECR user guide lists it for a push",
    ("build-role", "ReadDockerHubPassword", ""): "only who signs in to Docker Hub has a password to read",
    # The release and its tasks.
    ("deployment-role", "ShiftTheTrafficOfRules", ""): (
        "our listeners have only their default rule; AWSCodeDeployRoleForECS has it"
    ),
    **{
        ("execution-role", sid, f"ecr:{action}"): why
        for sid in ("PullTheImage", "PullImagesOfTrustedAccounts")
        for action, why in (("BatchCheckLayerAvailability", _AT_ONCE), ("GetDownloadUrlForLayer", _LAYERS))
    },
    ("test-traffic-hook-role", "StandInTheVpc", ""): _NO_INTERFACES,
    ("test-traffic-hook-role", "SeeTheVpc", ""): _NO_INTERFACES,
    # Other accounts, and GitHub.
    ("", "OtherAccountsFetchArtifacts", ""): _ONE_ACCOUNT,
    ("", "OtherAccountsFindArtifacts", ""): _ONE_ACCOUNT,
    ("", "OtherAccountsPullImages", ""): _ONE_ACCOUNT,
    ("cross-account-role", "FetchArtifactsOfTrustedAccounts", "s3:GetObjectVersion"): _VERSIONS,
    ("cross-account-role", "FindArtifactsOfTrustedAccounts", ""): _LOCATION,
    ("github-role", "TakeOnTheRolesOfCdkBootstrap", ""): _GITHUB,
    ("trust github-role", "#0", ""): _GITHUB,
    # The notifications.
    ("notifications", "__default_statement_ID", ""): "AWS's own, until the stack's policy takes its place",
}
