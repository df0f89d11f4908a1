"""Lifecycle policies: which images their rules expire, in which order, and which policies are rejected."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_aws.core.api import AwsError
from local_aws.services.ecr.lifecycle import expired_images, parse_policy
from local_aws.services.ecr.records import StoredImage
from unit_tests.local_aws.services.ecr.registry_server import make_ecr

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def rule(priority: int, count: int, status: str = "any", **selection: Any) -> dict[str, Any]:
    chosen = {"tagStatus": status, "countType": "imageCountMoreThan", "countNumber": count, **selection}
    return {"rulePriority": priority, "selection": chosen, "action": {"type": "expire"}}


def policy(*rules: dict[str, Any]) -> str:
    return json.dumps({"rules": rules})


def expired(text: str, *tags: str) -> list[str]:
    """Return which images expire; image 0 is the oldest, a day older than image 1, and so on."""
    images = {
        str(number): StoredImage(b"{}", "", NOW - timedelta(days=len(tags) - number), set(each.split()))
        for number, each in enumerate(tags)
    }
    return expired_images(parse_policy(text), images, NOW)


def test_the_oldest_images_beyond_the_count_expire() -> None:
    assert expired(policy(rule(1, 2)), "a", "b", "c", "") == ["1", "0"]


def test_an_image_that_a_rule_matches_is_not_expired_by_one_with_a_lower_priority() -> None:
    """pitfall F13: the tag keeps the image that runs."""
    keep = rule(1, 1000, "tagged", tagPatternList=["in-use-*"])
    assert expired(policy(keep, rule(2, 2)), "a in-use-1", "b", "c", "d") == ["1"]
    assert expired(policy(rule(2, 2)), "a in-use-1", "b", "c", "d") == ["1", "0"]


def test_a_rule_counts_the_images_that_another_one_keeps_or_expires() -> None:
    """As AWS's example: they can still be identified."""
    keep = rule(1, 1000, "tagged", tagPrefixList=["prod"])
    assert expired(policy(keep, rule(2, 2)), "a", "b", "prod1", "prod2") == ["1", "0"]
    one = rule(1, 1, "tagged", tagPrefixList=["beta"])
    assert expired(policy(one, rule(2, 1)), "beta1", "b", "beta2") == ["0", "1"]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ({"tagPrefixList": ["prod"]}, ["2", "0"]),
        ({"tagPatternList": ["*-east"]}, ["1", "0"]),
        ({"tagPatternList": ["prod*", "*-east"]}, ["0"]),
        ({"tagPatternList": ["prod"]}, []),
    ],
)
def test_all_tags_of_a_list_must_be_on_the_image(selection: dict[str, Any], found: list[str]) -> None:
    rules = policy(rule(1, 1, "tagged", **selection))
    newest = "prod5-east prod prod1"
    assert expired(rules, "prod1 us-east", "dev1 eu-east", "prod2", newest)[-len(found) or None :] == found


def test_untagged_images_expire_by_the_days_since_their_push() -> None:
    text = policy(rule(1, 2, "untagged", countType="sinceImagePushed", countUnit="days"))
    assert expired(text, "", "a", "", "", "") == ["2", "0"]


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [rule(1, 1), rule(1, 1, "untagged")],
        [rule(1, 1), rule(2, 1, "untagged")],
        [rule(1, 1), rule(2, 1)],
        [rule(1, 1, "untagged"), rule(2, 1, "untagged")],
        [rule(1, 0)],
        [rule(1, 1, "tagged")],
        [rule(1, 1, "tagged", tagPrefixList=["a"], tagPatternList=["a*"])],
        [rule(1, 1, tagPrefixList=["a"])],
        [rule(1, 1, "tagged", tagPatternList=["a*b*c*d*e*"])],
        [rule(1, 1, "some")],
        [rule(1, 1, countUnit="days")],
        [rule(1, 1, countType="sinceImagePushed")],
        [rule(1, 1, countType="zz")],
    ],
)
def test_a_policy_that_aws_rejects_is_rejected(rules: list[dict[str, Any]]) -> None:
    with pytest.raises(AwsError, match="Lifecycle policy validation failure") as caught:
        parse_policy(policy(*rules))
    assert caught.value.code == "InvalidParameterException"


def test_what_local_aws_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(AwsError, match="the countType sinceImagePulled"):
        parse_policy(policy(rule(1, 1, countType="sinceImagePulled", countUnit="days")))


def test_a_push_expires_what_the_policy_no_longer_keeps(tmp_path: Path) -> None:
    ecr = make_ecr(tmp_path)
    named = {"repositoryName": "images-dev"}
    ecr.call("CreateRepository", {**named, "imageTagMutability": "IMMUTABLE"})
    ecr.call("PutLifecyclePolicy", {**named, "lifecyclePolicyText": policy(rule(1, 2))})
    repository = ecr.repository("images-dev")
    ecr.blobs.blob("images-dev", "sha256:c").touch()
    for tag in ("a", "b", "c"):
        content = {"config": {"digest": "sha256:c", "mediaType": tag}, "layers": []}
        ecr.put_manifest(repository, json.dumps(content).encode(), "", tag)
    assert [image.tags for image in repository.images.values()] == [{"b"}, {"c"}]
