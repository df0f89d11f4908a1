"""Permissions that no scenario uses, and statements that no request needs, with the reason for each.

A key is (policy, statement, action). An empty policy means every policy with the statement, and an empty
action the whole statement. `make iam-usage` fails on what is neither used nor listed here.
"""

_OWN_ROLES = "each action has its own role, but the pipeline's role needs it for actions without one"
_LOCATION = "AWS's policies for CodeBuild and CodePipeline have it; local_aws never calls GetBucketLocation"
_VERSIONS = "CodePipeline may read a version of an artifact; local_aws reads the newest"
_LAYERS = "builds and tasks share this machine's layers; on AWS every task downloads them"
_AT_ONCE = "AmazonECSTaskExecutionRolePolicy has it; local_aws requests the layers directly"
_GUIDE = "the CodePipeline user guide lists it for this action; which calls AWS makes cannot be observed"
_ONE_ACCOUNT = "in one account the role's own policy suffices; across accounts, AWS requires both"
_GITHUB = "only a job of GitHub uses it: integration_tests/test_promotion.py does"
_NO_INTERFACES = "Lambda attaches a function to its VPC with it; local_aws creates no network interfaces"
_DAILY = "only the daily schedule uses it: integration_tests/test_drift_check.py invokes the function"
_FAULT = "only a failed Build uses it: integration_tests/test_kill_and_restart.py and test_gates.py have some"
_STOPPED = "only a stopped execution uses it"
# UNCONFIRMED in tools/iam_docs/justifications.py has the pages.
_UNCONFIRMED = "AWS's policy has it; it may be dropped after a live run shows that nothing asks for it"

# The statement of a permission whose id CloudFormation generates.
GENERATED = "(generated)"

UNUSED_PERMISSION_ALLOWLIST: dict[tuple[str, str, str], str] = {
    # Everything that reads or writes artifacts.
    ("", "FetchArtifacts", "s3:GetObjectVersion"): _VERSIONS,
    ("", "FindArtifactsToFetch", ""): _LOCATION,
    ("", "FindWhereToStoreArtifacts", ""): _LOCATION,
    ("", "StoreArtifacts", "s3:AbortMultipartUpload"): "only artifacts above 8 MB are uploaded in parts",
    ("", "EncryptArtifacts", "kms:Decrypt"): "only a multipart upload reads its parts",
    **{
        (role, "DecryptArtifacts", ""): "a statement for multipart uploads allows it too"
        for role in ("build-role", "promotion-role")
    },
    ("", "InspectTheArtifactBucket", ""): _UNCONFIRMED,
    ("build-role", "UseTheArtifactKey", ""): _UNCONFIRMED,
    # The queues of the harness.
    ("", "LetTheTopicSend", ""): "local_aws's SNS sends to each queue that is subscribed",
    # The pipeline.
    **{
        ("pipeline-role", sid, ""): _OWN_ROLES
        for sid in ("FetchArtifacts", "DecryptArtifacts", "StoreArtifacts", "EncryptArtifacts")
    },
    ("pipeline-role", "AssumeActionRoles", ""): (
        "in one account the trust policies suffice; across accounts, AWS requires both"
    ),
    ("source-action-role", "FetchTheCommit", "codecommit:CancelUploadArchive"): _STOPPED,
    ("test-action-role", "RunTheTest", "codebuild:StopBuild"): _STOPPED,
    ("build-action-role", "RunTheBuild", "codebuild:StopBuild"): _STOPPED,
    ("copy-action-role", "RunTheCopy", "codebuild:StopBuild"): _STOPPED,
    **{
        (role, "RegisterTheRevision", f"codedeploy:{action}"): _GUIDE
        for role in ("deploy-action-role", "cross-account-role")
        for action in ("GetApplication", "GetApplicationRevision")
    },
    # The build.
    ("build-role", "PushTheImage", "ecr:GetDownloadUrlForLayer"): "the ECR user guide lists it for a push",
    ("build-role", "ReadDockerHubPassword", ""): "only a sign-in to Docker Hub reads the password",
    # The release and its tasks.
    ("deployment-role", "ShiftTheTrafficOfRules", ""): (
        "the listeners have only their default rule; AWSCodeDeployRoleForECS has it"
    ),
    ("execution-role", "PullTheImage", "ecr:BatchCheckLayerAvailability"): _AT_ONCE,
    ("execution-role", "PullTheImage", "ecr:GetDownloadUrlForLayer"): _LAYERS,
    ("test-traffic-hook-role", "AttachToTheVpc", ""): _NO_INTERFACES,
    ("test-traffic-hook-role", "DescribeTheVpc", ""): _NO_INTERFACES,
    ("test-traffic-hook-role", "ReadWhetherBreakGlassIsOpen", ""): (
        "only a release that fails a check uses it: integration_tests/attacks/test_break_glass.py has it"
    ),
    ("test-traffic-hook-role", "TellThatBreakGlassWasUsed", ""): (
        "only a release that break-glass lets pass: integration_tests/attacks/test_break_glass.py has one"
    ),
    ("deployment-guard-role", "StopTheDeployment", ""): (
        "only a release past the platform: integration_tests/attacks/test_image_signatures.py has some"
    ),
    ("deployment-guard-role", "TellThatItWasRefused", ""): (
        "the same deployments: integration_tests/attacks/test_image_signatures.py has some"
    ),
    (
        "test-traffic-hook",
        GENERATED,
        "",
    ): "only the daily schedule uses it; a scenario takes minutes",
    ("image-keeper-role", "TagTheImages", "ecr:BatchDeleteImage"): (
        "an image loses its tag with the second release after it: integration_tests/test_releases.py has it"
    ),
    **{
        ("drift-check-role", sid, ""): _DAILY
        for sid in (
            *("DetectDrift", "EncryptTheMessage", "FindADeployment", "FindTheTaskSetWithTheTraffic"),
            *("ReadTheCertificate", "ReadTheFunctions", "ReadTheListenersAndTheTasks", "ReadTheRoles"),
            *("ReadTheSecurityGroups", "RememberWhatWasTold", "ScanTheImage", "TellTheTopic"),
            *("WaitForTheDetection", "WriteTheLog"),
        )
    },
    ("drift-check", GENERATED, ""): _DAILY,
    ("trust drift-check-role", "#0", ""): _DAILY,
    **{
        ("build-retry-role", sid, ""): _FAULT
        for sid in (
            *("EncryptTheMessage", "FindTheBuilds", "ReadWhyTheyFailed", "RetryTheStage", "TellTheTopic"),
            "WriteTheLog",
        )
    },
    ("build-retry", GENERATED, ""): _FAULT,
    ("trust build-retry-role", "#0", ""): _FAULT,
    ("settings-guard-role", "SeeWhetherTheStackRollsBack", ""): (
        "only a deployment that would drop a setting uses it: integration_tests/test_changes.py does"
    ),
    # Other accounts, and GitHub.
    ("", "OtherAccountsFetchArtifacts", ""): _ONE_ACCOUNT,
    ("", "OtherAccountsFindArtifacts", ""): _ONE_ACCOUNT,
    ("", "PromotingEnvironmentsCopyImages", ""): _ONE_ACCOUNT,
    ("cross-account-role", "FetchArtifactsToRelease", "s3:GetObjectVersion"): _VERSIONS,
    ("cross-account-role", "FindArtifactsToRelease", ""): _LOCATION,
    ("github-role", "AssumeCdkBootstrapRoles", ""): _GITHUB,
    ("trust github-role", "#0", ""): _GITHUB,
    # The network.
    ("flow-log-role", "WriteTheLog", ""): "local_aws writes no flow log records",
    ("", "StoreAccessLogs", ""): "ELB's check of it is no call; local_aws writes no access logs",
    # The notifications.
    ("notifications", "2", ""): "only an alarm publishes with it: integration_tests/test_gates.py has one",
    ("notifications", "__default_statement_ID", ""): "AWS's default, until the stack's policy replaces it",
}
