"""The image repository of an environment: who may push to it, and which images it keeps."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ecr as ecr
from constructs import Construct

from infrastructure.constructs.roles import allow_cross_account
from infrastructure.naming import Names

# The newest images that each environment keeps, beside those that are in use.
KEPT_IMAGES = 10
# The tags of images that are in use, which the image keeper puts and removes.
IN_USE_TAGS = "in-use-*"
# The tags of images: what Build pushes, and its copies.
IMAGE_TAGS = "commit-*"
# The tags of signatures and provenance, which name the digest of their image.
ATTACHED_TAGS = "sha256-*"
# What has any other tag, or none, was pushed by a person.
_OTHERS_DAYS = 7
# There are never more than this many, so such a rule never expires one.
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
    """Create the repository; `promotion_roles` of other environments may copy their images to it."""
    repository = ecr.Repository(
        scope,
        id_,
        repository_name=names.image_repository,
        image_tag_mutability=ecr.TagMutability.IMMUTABLE,
        image_scan_on_push=True,
        empty_on_delete=True,
        removal_policy=RemovalPolicy.DESTROY,
        lifecycle_rules=_lifecycle_rules(),
    )
    if promotion_roles:
        repository.add_to_resource_policy(
            allow_cross_account("PromotingEnvironmentsCopyImages", PUSH, promotion_roles)
        )
    return repository


def _lifecycle_rules() -> list[ecr.LifecycleRule]:
    """Return the rules for images in use, for what is attached to images, for images, and for the rest.

    An image that matches a rule cannot be expired by one with a lower priority, so an image in use stays
    however many newer ones there are (pitfall F13). A signature is an image for ECR, too. The image keeper
    deletes it after its image; it does not count against the images, because their rule has their tags.
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
    """
    return [
        ecr.LifecycleRule(
            rule_priority=1,
            description="Keep the images that are in use",
            tag_status=ecr.TagStatus.TAGGED,
            tag_pattern_list=[IN_USE_TAGS],
            max_image_count=_NEVER_REACHED,
        ),
        ecr.LifecycleRule(
            rule_priority=2,
            description="Keep what is attached to images: the image keeper deletes it after its image",
            tag_status=ecr.TagStatus.TAGGED,
            tag_pattern_list=[ATTACHED_TAGS],
            max_image_count=_NEVER_REACHED,
        ),
        ecr.LifecycleRule(
            rule_priority=3,
            description=f"Keep the last {KEPT_IMAGES} images",
            tag_status=ecr.TagStatus.TAGGED,
            tag_pattern_list=[IMAGE_TAGS],
            max_image_count=KEPT_IMAGES,
        ),
        ecr.LifecycleRule(
            rule_priority=4,
            description=f"Delete what else was pushed after {_OTHERS_DAYS} days",
            tag_status=ecr.TagStatus.ANY,
            max_image_age=Duration.days(_OTHERS_DAYS),
        ),
    ]
