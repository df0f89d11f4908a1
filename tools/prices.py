"""List prices of us-east-1 in USD, before taxes and free tiers.

AWS changes its prices: check the page of a price before you rely on it.
"""

from __future__ import annotations

from dataclasses import dataclass

# When the prices were last compared with the pages, or with who quotes them.
READ = "2026-11-24"
HOURS_A_MONTH = 730


@dataclass(frozen=True)
class Price:
    """The price of one unit; `page` is AWS's page below https://aws.amazon.com/."""

    usd: float
    unit: str
    page: str


LOAD_BALANCER = Price(0.0225, "load balancer and hour", "elasticloadbalancing/pricing/")
NAT_GATEWAY = Price(0.045, "NAT gateway and hour", "vpc/pricing/")
NAT_GIGABYTE = Price(0.045, "GB through NAT", "vpc/pricing/")
PUBLIC_ADDRESS = Price(0.005, "public IPv4 address and hour", "vpc/pricing/")
ENDPOINT = Price(0.01, "interface endpoint, zone and hour", "privatelink/pricing/")
FARGATE_CPU = Price(0.04048, "vCPU and hour", "fargate/pricing/")
FARGATE_MEMORY = Price(0.004445, "GB of memory and hour", "fargate/pricing/")
KEY = Price(1.00, "customer managed key and month", "kms/pricing/")
ALARM = Price(0.10, "metric of a standard alarm and month", "cloudwatch/pricing/")
DASHBOARD = Price(3.00, "dashboard and month, three are free", "cloudwatch/pricing/")
METRIC = Price(0.30, "custom metric and month, ten are free", "cloudwatch/pricing/")
LOG_GIGABYTE = Price(0.50, "GB of logs taken in", "cloudwatch/pricing/")
BUILD_MINUTE = Price(0.005, "minute of general1.small", "codebuild/pricing/")
PIPELINE_MINUTE = Price(0.002, "action minute of V2, 100 a month are free", "codepipeline/pricing/")
PIPELINE_V1 = Price(1.00, "active V1 pipeline and month, one is free", "codepipeline/pricing/")
IMAGE_GIGABYTE = Price(0.10, "GB of images and month", "ecr/pricing/")
