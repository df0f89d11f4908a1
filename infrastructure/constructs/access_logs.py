"""The bucket with the load balancer's access logs, deleted with its stack."""

from __future__ import annotations

from aws_cdk import Aws, CfnResource, Duration, RemovalPolicy
from aws_cdk import aws_elasticloadbalancingv2 as elbv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.provider_functions import AUTO_DELETE, adapt_provider
from infrastructure.naming import Names


class AccessLogs(Construct):
    """A bucket that keeps access logs for 30 days.

    Its encryption is SSE-S3, the only one that load balancers support:
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names) -> None:
        super().__init__(scope, id_)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=names.access_log_bucket(Aws.ACCOUNT_ID),
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            auto_delete_objects=True,
            removal_policy=RemovalPolicy.DESTROY,
            lifecycle_rules=[s3.LifecycleRule(id="Keep 30 days", expiration=Duration.days(30))],
        )
        # As AWS's page has it, limited to the prefix of this account.
        self.bucket.add_to_resource_policy(
            iam.PolicyStatement(
                sid="StoreAccessLogs",
                principals=[iam.ServicePrincipal("logdelivery.elasticloadbalancing.amazonaws.com")],
                actions=["s3:PutObject"],
                resources=[self.bucket.arn_for_objects(f"AWSLogs/{Aws.ACCOUNT_ID}/*")],
            )
        )
        adapt_provider(
            self,
            "CleanerLogs",
            provider=AUTO_DELETE,
            names=names,
            name="access-logs-cleaner",
            description="Empties the bucket of the access logs before it is deleted",
            role_description="What the Lambda that empties the bucket does: the bucket's own policy lets it",
        )

    def record(self, load_balancer: elbv2.ApplicationLoadBalancer) -> None:
        """Let the load balancer write here; it is deleted before the bucket is emptied (pitfall H7)."""
        load_balancer.set_attribute("access_logs.s3.enabled", "true")
        load_balancer.set_attribute("access_logs.s3.bucket", self.bucket.bucket_name)
        resource = load_balancer.node.default_child
        if isinstance(resource, CfnResource):
            resource.node.add_dependency(self.bucket)
