"""Why a permission is there that no story asks for, or a statement that nobody would miss.

A key is policy, statement and action; without a policy it is of every policy that has the statement, without
an action it is of the whole statement. What has no line here has to be used, or goes.
"""

_OWN_ROLES = "each action has a role of its own, but a pipeline's role needs it for actions that have none"
_LOCATION = "AWS's policies for CodeBuild and CodePipeline have it; here nobody asks where a bucket is"
_VERSIONS = "CodePipeline names a version where the bucket keeps versions; ours keeps none"
_STOPPED = "only a run that is stopped asks for it"

EXPLANATIONS: dict[tuple[str, str, str], str] = {
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
        ("deploy-action-role", "RegisterTheRevision", f"codedeploy:{action}"): (
            "the CodePipeline user guide lists it for this action; what AWS asks for cannot be seen from here"
        )
        for action in ("GetApplication", "GetApplicationRevision")
    },
    # The build.
    ("build-role", "PushTheImage", "ecr:GetDownloadUrlForLayer"): "the ECR user guide lists it for a push",
    ("build-role", "ReadDockerHubPassword", ""): "only who signs in to Docker Hub has a password to read",
    # The release and its tasks.
    ("deployment-role", "ShiftTheTrafficOfRules", ""): (
        "our listeners have only their default rule; AWSCodeDeployRoleForECS has it"
    ),
    ("execution-role", "PullTheImage", "ecr:BatchCheckLayerAvailability"): (
        "AmazonECSTaskExecutionRolePolicy has it; our engine asks for the layers at once"
    ),
    ("execution-role", "PullTheImage", "ecr:GetDownloadUrlForLayer"): (
        "builds and tasks share this machine's layers; on AWS every task fetches them"
    ),
    # The notifications.
    ("notifications", "__default_statement_ID", ""): "AWS's own, until the stack's policy takes its place",
}
