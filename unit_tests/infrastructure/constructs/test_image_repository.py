"""Which images an environment keeps."""

from __future__ import annotations

import json

import pytest

from unit_tests.infrastructure.synthesized import Templates


def test_image_tags_are_immutable_and_destroy_deletes_the_images(templates: Templates) -> None:
    images = templates.only("AWS::ECR::Repository", RepositoryName="images-dev").properties
    assert images["ImageTagMutability"] == "IMMUTABLE"
    assert images["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert images["EmptyOnDelete"] is True


def test_the_last_ten_images_are_kept_in_every_environment(templates: Templates, other: Templates) -> None:
    for each in (templates, other):
        text = each.only("AWS::ECR::Repository").properties["LifecyclePolicy"]["LifecyclePolicyText"]
        *_, images, last = json.loads(text)["rules"]
        assert images["selection"] == {
            "tagStatus": "tagged",
            "tagPatternList": ["commit-*"],
            "countType": "imageCountMoreThan",
            "countNumber": 10,
        }
        assert (last["selection"]["tagStatus"], last["selection"]["countType"]) == ("any", "sinceImagePushed")


@pytest.mark.parametrize(("place", "pattern"), [(0, "in-use-*"), (1, "sha256-*")])
def test_images_in_use_and_signatures_match_rules_of_their_own_first(
    templates: Templates, place: int, pattern: str
) -> None:
    """No later rule can expire them then (pitfall F13)."""
    text = templates.only("AWS::ECR::Repository").properties["LifecyclePolicy"]["LifecyclePolicyText"]
    rules = json.loads(text)["rules"]
    assert [each["rulePriority"] for each in rules] == [1, 2, 3, 4]
    assert rules[place]["selection"] == {
        "tagStatus": "tagged",
        "tagPatternList": [pattern],
        "countType": "imageCountMoreThan",
        "countNumber": 1000,
    }
