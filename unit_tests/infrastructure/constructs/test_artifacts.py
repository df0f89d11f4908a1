"""The artifact bucket, its key, and the function that empties it."""

from __future__ import annotations

from unit_tests.infrastructure.synthesized import Templates, plain


def test_artifacts_are_encrypted_with_a_key_of_our_own_and_kept_30_days(templates: Templates) -> None:
    properties = templates.only("AWS::S3::Bucket").properties
    (encryption,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    by_default = encryption["ServerSideEncryptionByDefault"]
    assert by_default["SSEAlgorithm"] == "aws:kms"
    store = templates.only("AWS::CodePipeline::Pipeline").properties["ArtifactStore"]
    assert store["EncryptionKey"]["Id"] == by_default["KMSMasterKeyID"]
    (lifecycle,) = properties["LifecycleConfiguration"]["Rules"]
    assert lifecycle["ExpirationInDays"] == 30
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}


def test_an_overwritten_artifact_can_be_restored_for_a_week(templates: Templates) -> None:
    properties = templates.only("AWS::S3::Bucket").properties
    assert properties["VersioningConfiguration"] == {"Status": "Enabled"}
    (lifecycle,) = properties["LifecycleConfiguration"]["Rules"]
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}


def test_artifacts_are_transferred_over_tls_only(templates: Templates) -> None:
    policy = templates.only("AWS::S3::BucketPolicy").properties["PolicyDocument"]["Statement"]
    (denied,) = [statement for statement in policy if statement["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denied["Action"] == "s3:*"


def test_the_lambda_that_empties_the_bucket_logs_to_a_group_of_the_stack(templates: Templates) -> None:
    """By default it logs to a group that never expires and outlives the stack (pitfall H1)."""
    function = templates.only("AWS::Lambda::Function", FunctionName="artifacts-cleaner-dev").properties
    group = templates.only("AWS::Logs::LogGroup", LogGroupName="/lambda/artifacts-cleaner-dev")
    assert plain(function["LoggingConfig"]) == {"LogGroup": f"<{group.id}>"}


def test_keys_are_deleted_a_week_after_the_stack_and_those_that_encrypt_rotate_every_year(
    templates: Templates,
) -> None:
    """A week is the shortest period of AWS (pitfall H6)."""
    keys = templates.resources("AWS::KMS::Key")
    assert len(keys) == 3
    for key in keys:
        # KMS rotates no asymmetric key.
        assert key.properties.get("EnableKeyRotation", False) is ("KeySpec" not in key.properties)
        assert key.properties["PendingWindowInDays"] == 7
