"""Which images an environment keeps."""

from __future__ import annotations

import json

from unit_tests.infrastructure.synthesized import Templates


def test_image_tags_are_immutable_and_destroy_deletes_the_images(templates: Templates) -> None:
    images = templates.only("AWS::ECR::Repository", RepositoryName="images-dev").properties
    assert images["ImageTagMutability"] == "IMMUTABLE"
    assert images["ImageScanningConfiguration"] == {"ScanOnPush": True}
    assert images["EmptyOnDelete"] is True


def test_the_last_ten_images_are_kept_in_every_environment(templates: Templates, other: Templates) -> None:
    for each in (templates, other):
        text = each.only("AWS::ECR::Repository").properties["LifecyclePolicy"]["LifecyclePolicyText"]
        last = json.loads(text)["rules"][-1]
        assert last["selection"] == {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10}


def test_an_image_in_use_matches_a_rule_of_its_own_before_the_rule_for_all(templates: Templates) -> None:
    """The rule for all cannot expire it then (pitfall F13)."""
    text = templates.only("AWS::ECR::Repository").properties["LifecyclePolicy"]["LifecyclePolicyText"]
    first, last = json.loads(text)["rules"]
    assert (first["rulePriority"], last["rulePriority"]) == (1, 2)
    assert first["selection"] == {
        "tagStatus": "tagged",
        "tagPatternList": ["in-use-*"],
        "countType": "imageCountMoreThan",
        "countNumber": 1000,
    }
