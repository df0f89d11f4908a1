"""Service Quotas: AWS's default values of the quotas that a deployment depends on. They are not enforced."""

from dataclasses import dataclass
from typing import Any, TypedDict

from local_aws.core.api import AwsError, JsonService

# The names of the services in the console, by service code.
SERVICE_NAMES = {
    "cloudformation": "AWS CloudFormation",
    "codebuild": "AWS CodeBuild",
    "ec2": "Amazon Elastic Compute Cloud (Amazon EC2)",
    "elasticloadbalancing": "Elastic Load Balancing (ELB)",
    "events": "Amazon EventBridge (CloudWatch Events)",
    "fargate": "AWS Fargate",
    "iam": "AWS Identity and Access Management (IAM)",
    "vpc": "Amazon Virtual Private Cloud (Amazon VPC)",
}


@dataclass(frozen=True)
class Quota:
    """One quota, with its default value."""

    service: str
    code: str
    name: str
    value: float


# https://docs.aws.amazon.com/codebuild/latest/userguide/limits.html
# https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
QUOTAS = (
    Quota("cloudformation", "L-0485CB21", "Stack count", 2000.0),
    Quota("codebuild", "L-9D07B6EF", "Concurrently running builds for Linux/Small environment", 1.0),
    Quota("ec2", "L-0263D0A3", "EC2-VPC Elastic IPs", 5.0),
    Quota("elasticloadbalancing", "L-53DA6B97", "Application Load Balancers per Region", 50.0),
    Quota("events", "L-244521F2", "Number of rules", 300.0),
    Quota("fargate", "L-3032A538", "Fargate On-Demand vCPU resource count", 6.0),
    Quota("iam", "L-FE177D64", "Roles per account", 1000.0),
    Quota("vpc", "L-F678F1CE", "VPCs per Region", 5.0),
    Quota("vpc", "L-A4707A72", "Internet gateways per Region", 5.0),
    Quota("vpc", "L-FE5A380F", "NAT gateways per Availability Zone", 5.0),
)


class QuotaShape(TypedDict):
    """API structure ServiceQuota."""

    ServiceCode: str
    ServiceName: str
    QuotaArn: str
    QuotaCode: str
    QuotaName: str
    Value: float
    Unit: str
    Adjustable: bool
    GlobalQuota: bool
    QuotaAppliedAtLevel: str


class ServiceQuotas(JsonService):
    """The service. Every quota has AWS's default value: there is no way to request an increase."""

    service = "service-quotas"

    def get_service_quota(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return the value that applies to this account."""
        return {"Quota": self._serialize(self._find(params))}

    def get_aws_default_service_quota(self, params: dict[str, Any]) -> dict[str, Any]:
        """Return AWS's default value."""
        return {"Quota": self._serialize(self._find(params))}

    def list_service_quotas(self, params: dict[str, Any]) -> dict[str, Any]:
        """List the quotas of one service."""
        if params["ServiceCode"] not in SERVICE_NAMES:
            raise _no_such_resource(
                f"The request failed because the specified service {params['ServiceCode']}"
            )
        wanted = params.get("QuotaCode")
        found = (
            quota
            for quota in QUOTAS
            if quota.service == params["ServiceCode"] and wanted in (None, quota.code)
        )
        return {"Quotas": [self._serialize(quota) for quota in found]}

    def _find(self, params: dict[str, Any]) -> Quota:
        key = params["ServiceCode"], params["QuotaCode"]
        for quota in QUOTAS:
            if (quota.service, quota.code) == key:
                return quota
        raise _no_such_resource(f"The request failed because the specified service quota {'/'.join(key)}")

    def _serialize(self, quota: Quota) -> QuotaShape:
        return QuotaShape(
            ServiceCode=quota.service,
            ServiceName=SERVICE_NAMES[quota.service],
            QuotaArn=self.context.arn("servicequotas", f"{quota.service}/{quota.code}"),
            QuotaCode=quota.code,
            QuotaName=quota.name,
            Value=quota.value,
            Unit="None",
            Adjustable=True,
            GlobalQuota=False,
            QuotaAppliedAtLevel="ACCOUNT",
        )


def _no_such_resource(message: str) -> AwsError:
    return AwsError("NoSuchResourceException", f"{message} does not exist in local_aws.")
