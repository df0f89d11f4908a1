"""The image repository of an environment: who may push to it, and which images it keeps."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from infrastructure.constructs.roles import allow_cross_account
from infrastructure.naming import Names

# The newest images that each environment keeps, beside those that are in use.
KEPT_IMAGES = 10
# The tags of images that are in use, which the image keeper puts and removes.
IN_USE_TAGS = "in-use-*"
# More than this many images are never in use, so the rule for them never expires one.
_NEVER_REACHED = 1000

PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PUSH = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:CompleteLayerUpload",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


def create_image_repository(
    scope: Construct, id_: str, *, names: Names, promotion_roles: Sequence[str]
) -> ecr.Repository:
    """Create the repository; `promotion_roles` of other environments may copy their images to it.

    An image that matches a rule cannot be expired by one with a lower priority, so an image in use stays
    however many newer ones there are (pitfall F13).
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
    """
    repository = ecr.Repository(
        scope,
        id_,
        repository_name=names.image_repository,
        image_tag_mutability=ecr.TagMutability.IMMUTABLE,
        image_scan_on_push=True,
        empty_on_delete=True,
        removal_policy=RemovalPolicy.DESTROY,
        lifecycle_rules=[
            ecr.LifecycleRule(
                rule_priority=1,
                description="Keep the images that are in use",
                tag_status=ecr.TagStatus.TAGGED,
                tag_pattern_list=[IN_USE_TAGS],
                max_image_count=_NEVER_REACHED,
            ),
            ecr.LifecycleRule(
                rule_priority=2,
                description=f"Keep the last {KEPT_IMAGES} images",
                tag_status=ecr.TagStatus.ANY,
                max_image_count=KEPT_IMAGES,
            ),
        ],
    )
    if promotion_roles:
        repository.add_to_resource_policy(
            allow_cross_account("PromotingEnvironmentsCopyImages", PUSH, promotion_roles)
        )
    return repository
