"""The artifact bucket of the pipeline, encrypted with its own key and deleted with its stack."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, Duration, RemovalPolicy, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.provider_functions import AUTO_DELETE, adapt_provider
from infrastructure.constructs.roles import allow, allow_cross_account
from infrastructure.naming import Names

SOURCE_OUTPUT, BUILD_OUTPUT, COPY_OUTPUT = "SourceOutput", "BuildOutput", "CopyOutput"


def create_key(scope: Construct, id_: str, *, alias: str, description: str) -> kms.Key:
    """Create a key that rotates every year and is deleted a week after its stack (pitfall H6)."""
    key = kms.Key(
        scope,
        id_,
        alias=f"alias/{alias}",
        description=description,
        enable_key_rotation=True,
        pending_window=Duration.days(7),
        removal_policy=RemovalPolicy.DESTROY,
    )
    # A key has no name property, and while its deletion is pending no alias either.
    Tags.of(key).add("Name", alias)
    return key


class Artifacts(Construct):
    """The artifact bucket, its key, and the statements of the roles that use them."""

    def __init__(self, scope: Construct, id_: str, *, names: Names) -> None:
        super().__init__(scope, id_)
        self.key = create_key(
            self,
            "Key",
            alias=names.qualified("artifacts"),
            description="Encrypts the artifacts of the pipeline",
        )
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=names.artifact_bucket(Aws.ACCOUNT_ID),
            encryption=s3.BucketEncryption.KMS,
            encryption_key=self.key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            versioned=True,  # An overwritten or deleted artifact can be restored for a week.
            auto_delete_objects=True,
            removal_policy=RemovalPolicy.DESTROY,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Keep 30 days",
                    # S3 also removes a delete marker that is the only version left of an object.
                    expiration=Duration.days(30),
                    noncurrent_version_expiration=Duration.days(7),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
        )
        adapt_provider(
            self,
            "CleanerLogs",
            provider=AUTO_DELETE,
            names=names,
            name="artifacts-cleaner",
            description="Empties the artifact bucket before it is deleted",
            role_description="What the Lambda that empties the bucket does: the bucket's own policy lets it",
        )

    def read_statements(self, artifact: str = "") -> list[iam.PolicyStatement]:
        """Allow a role to fetch artifacts; with a name, that of one action only."""
        return [
            allow("FetchArtifacts", ["s3:GetObject", "s3:GetObjectVersion"], [self._objects(artifact)]),
            allow("FindArtifactsToFetch", ["s3:GetBucketLocation"], [self.bucket.bucket_arn]),
            allow("DecryptArtifacts", ["kms:Decrypt"], [self.key.key_arn]),
        ]

    def write_statements(self, artifact: str = "") -> list[iam.PolicyStatement]:
        """Allow a role to store artifacts; with a name, that of one action only."""
        return [
            allow("StoreArtifacts", ["s3:PutObject", "s3:AbortMultipartUpload"], [self._objects(artifact)]),
            allow("FindWhereToStoreArtifacts", ["s3:GetBucketLocation"], [self.bucket.bucket_arn]),
            # A multipart upload reads its own parts, which needs kms:Decrypt.
            allow("EncryptArtifacts", ["kms:GenerateDataKey", "kms:Decrypt"], [self.key.key_arn]),
        ]

    def _objects(self, artifact: str) -> str:
        """Return the ARN of the objects of an artifact, whose key is `{pipeline}/{artifact}/{random}`.

        CodePipeline shortens both names, to an undocumented length: the first 10 characters of the artifact's
        decide here, so that its whole name would match too.
        """
        return self.bucket.arn_for_objects(f"*/{artifact[:10]}*" if artifact else "*")

    def inspect_statement(self) -> iam.PolicyStatement:
        """Allow what AWS's policies for CodeBuild have beyond fetching.

        See UNCONFIRMED in tools/iam_docs/justifications.py.
        """
        return allow("InspectTheArtifactBucket", ["s3:GetBucketAcl"], [self.bucket.bucket_arn])

    def build_statements(self) -> list[iam.PolicyStatement]:
        """Allow what AWS's policies for CodeBuild have beyond fetching and storing.

        See UNCONFIRMED in tools/iam_docs/justifications.py.
        """
        return [
            self.inspect_statement(),
            allow(
                "UseTheArtifactKey",
                ["kms:DescribeKey", "kms:Encrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo"],
                [self.key.key_arn],
            ),
        ]

    def pipeline_statements(self) -> list[iam.PolicyStatement]:
        """Allow the pipeline's role what AWS's policy for CodePipeline has beyond fetching and storing.

        See UNCONFIRMED in tools/iam_docs/justifications.py.
        """
        actions = ["s3:GetBucketAcl", "s3:GetBucketVersioning"]
        return [allow("InspectTheArtifactBucket", actions, [self.bucket.bucket_arn])]

    def share(self, role_arns: Sequence[str]) -> None:
        """Allow roles of other accounts to fetch artifacts, in both resource policies (pitfall M1)."""
        if not role_arns:
            return
        fetch = allow_cross_account(
            "OtherAccountsFetchArtifacts",
            ["s3:GetObject", "s3:GetObjectVersion"],
            role_arns,
            [self.bucket.arn_for_objects("*")],
        )
        find = allow_cross_account(
            "OtherAccountsFindArtifacts", ["s3:GetBucketLocation"], role_arns, [self.bucket.bucket_arn]
        )
        self.bucket.add_to_resource_policy(fetch)
        self.bucket.add_to_resource_policy(find)
        # In a key policy, `*` is the key itself.
        self.key.add_to_resource_policy(
            allow_cross_account("OtherAccountsDecryptArtifacts", ["kms:Decrypt"], role_arns, ["*"])
        )
