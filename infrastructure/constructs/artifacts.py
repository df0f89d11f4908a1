"""The artifact bucket of the pipeline, encrypted with its own key and deleted with its stack."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Aws, CfnResource, Duration, RemovalPolicy, Stack, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct, IConstruct

from infrastructure.constructs.log_groups import create_log_group
from infrastructure.constructs.roles import allow, allow_cross_account
from infrastructure.naming import Names


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
            auto_delete_objects=True,
            removal_policy=RemovalPolicy.DESTROY,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="Keep 30 days",
                    expiration=Duration.days(30),
                    abort_incomplete_multipart_upload_after=Duration.days(1),
                )
            ],
        )
        self._adapt_auto_delete(names)

    def read_statements(self) -> list[iam.PolicyStatement]:
        """Allow a role to fetch artifacts."""
        return [
            allow(
                "FetchArtifacts", ["s3:GetObject", "s3:GetObjectVersion"], [self.bucket.arn_for_objects("*")]
            ),
            allow("FindArtifactsToFetch", ["s3:GetBucketLocation"], [self.bucket.bucket_arn]),
            allow("DecryptArtifacts", ["kms:Decrypt"], [self.key.key_arn]),
        ]

    def write_statements(self) -> list[iam.PolicyStatement]:
        """Allow a role to store artifacts."""
        return [
            allow(
                "StoreArtifacts",
                ["s3:PutObject", "s3:AbortMultipartUpload"],
                [self.bucket.arn_for_objects("*")],
            ),
            allow("FindWhereToStoreArtifacts", ["s3:GetBucketLocation"], [self.bucket.bucket_arn]),
            # A multipart upload reads its own parts, which needs kms:Decrypt.
            allow("EncryptArtifacts", ["kms:GenerateDataKey", "kms:Decrypt"], [self.key.key_arn]),
        ]

    def build_statements(self) -> list[iam.PolicyStatement]:
        """Allow the build role what AWS's policies for CodeBuild have beyond fetching and storing.

        See UNCONFIRMED in tools/iam_docs/justifications.py.
        """
        return [
            allow("InspectTheArtifactBucket", ["s3:GetBucketAcl"], [self.bucket.bucket_arn]),
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

    def _adapt_auto_delete(self, names: Names) -> None:
        """Give the CDK's function behind auto_delete_objects our names, tags, log group and a narrow role.

        By default it logs to a group that never expires and that outlives the stack (pitfall H1).
        """
        function_name = names.qualified("artifacts-cleaner")
        log_group = create_log_group(self, "CleanerLogs", name=f"/lambda/{function_name}")
        provider = Stack.of(self).node.find_child("Custom::S3AutoDeleteObjectsCustomResourceProvider")
        tags = [{"Key": key, "Value": value} for key, value in names.tags.items()]
        write = allow("WriteTheLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [log_group.log_group_arn])
        policy = {"PolicyName": "policy", "PolicyDocument": iam.PolicyDocument(statements=[write])}
        handler, role = _resource(provider, "Handler"), _resource(provider, "Role")
        handler.add_property_override("FunctionName", function_name)
        handler.add_property_override("Description", "Empties the artifact bucket before it is deleted")
        handler.add_property_override("LoggingConfig", {"LogGroup": log_group.log_group_name})
        handler.add_property_override("Tags", tags)
        role.add_property_override("RoleName", names.qualified("artifacts-cleaner-role"))
        role.add_property_override(
            "Description", "What the Lambda that empties the bucket does: the bucket's own policy lets it"
        )
        role.add_property_deletion_override("ManagedPolicyArns")
        role.add_property_override("Policies", [policy])
        role.add_property_override("Tags", tags)


def _resource(provider: IConstruct, id_: str) -> CfnResource:
    resource = provider.node.find_child(id_)
    if not isinstance(resource, CfnResource):
        raise TypeError(
            f"{resource.node.path} is no longer a CloudFormation resource: see the CDK's release notes"
        )
    return resource
