"""Lifecycle policies: their rules, and the images that they expire.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from local_aws.core.api import AwsError
from local_aws.services.ecr.records import StoredImage

DAY = timedelta(days=1)
# A pattern may have four wildcards:
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
MOST_WILDCARDS = 4
# Of archived and of pulled images: local_aws has no archive, and does not note when an image was pulled.
UNSUPPORTED_COUNT_TYPES = ("sinceImagePulled", "sinceImageTransitioned")
_LISTS = ("tagPatternList", "tagPrefixList")
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
RULE = ("rulePriority", "description", "selection", "action")
SELECTION = ("tagStatus", "storageClass", *_LISTS, "countType", "countUnit", "countNumber")


@dataclass(frozen=True)
class Rule:
    """One rule. `patterns` are those of `tagged`; `count` is a number of images, or of days."""

    priority: int
    tag_status: str
    patterns: tuple[re.Pattern[str], ...]
    by_age: bool
    count: int

    def matches(self, image: StoredImage) -> bool:
        """Return whether an image meets the tagging requirements; each pattern must match one of its tags."""
        if self.tag_status == "any":
            return True
        if self.tag_status == "untagged":
            return not image.tags
        return all(any(pattern.fullmatch(tag) for tag in image.tags) for pattern in self.patterns)

    def selects(
        self, newest_first: list[str], images: Mapping[str, StoredImage], at: datetime, day: timedelta
    ) -> list[str]:
        """Return the digests beyond the number of images, or of days."""
        if self.by_age:
            return [each for each in newest_first if images[each].pushed < at - self.count * day]
        return newest_first[self.count :]


def expired_images(
    rules: Iterable[Rule], images: Mapping[str, StoredImage], at: datetime, day: timedelta = DAY
) -> list[str]:
    """Return the digests that the rules expire at a time.

    All rules see all images. An image that matches the tagging requirements of a rule cannot be expired by a
    rule with a lower priority.
    """
    newest_first = sorted(images, key=lambda digest: images[digest].pushed, reverse=True)
    expired: list[str] = []
    matched: set[str] = set()
    for rule in sorted(rules, key=lambda each: each.priority):
        own = [digest for digest in newest_first if rule.matches(images[digest])]
        selected = rule.selects(own, images, at, day)
        expired += [digest for digest in selected if digest not in matched]
        matched.update(own)
    return expired


def parse_policy(text: str) -> list[Rule]:
    """Return the rules of a policy. Raises InvalidParameterException for a policy that AWS rejects."""
    try:
        policy = json.loads(text)
        _check_members(policy, ("rules",))
        given = policy["rules"]
        rules = [_rule(each) for each in given]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid(f"{error}") from error
    if not rules:
        raise _invalid("there are no rules")
    priorities = [rule.priority for rule in rules]
    if len(set(priorities)) != len(priorities):
        raise _invalid("each rule needs a unique rulePriority")
    _check_tag_statuses(rules)
    return rules


def _check_tag_statuses(rules: list[Rule]) -> None:
    for status in ("any", "untagged"):
        if [rule.tag_status for rule in rules].count(status) > 1:
            raise _invalid(f"only one rule may select {status} images")
    last = max(rules, key=lambda rule: rule.priority)
    if any(rule.tag_status == "any" and rule is not last for rule in rules):
        raise _invalid("a rule with tagStatus any must have the highest rulePriority")


def _check_members(given: Mapping[str, Any], members: Collection[str]) -> None:
    """Refuse members that the schema does not have."""
    if unknown := sorted(given.keys() - set(members)):
        raise ValueError(f"object instance has properties which are not allowed by the schema: {unknown}")


def _check_priority(priority: object) -> None:
    if isinstance(priority, bool) or not isinstance(priority, int) or priority < 1:
        raise ValueError(f"rulePriority is {priority}, not a positive integer")


def _check_action(action: Mapping[str, Any]) -> None:
    if action.get("type") not in ("expire", "transition"):
        raise ValueError(f"the action is {action}, neither expire nor transition")
    if action != {"type": "expire"}:
        raise _unsupported(f"the action {action}")


def _rule(given: Mapping[str, Any]) -> Rule:
    selection, priority = given["selection"], given["rulePriority"]
    _check_members(given, RULE)
    _check_members(selection, SELECTION)
    _check_priority(priority)
    _check_action(given["action"])
    count_type, count = selection["countType"], selection["countNumber"]
    if count_type in UNSUPPORTED_COUNT_TYPES:
        raise _unsupported(f"the countType {count_type}")
    if count_type not in ("imageCountMoreThan", "sinceImagePushed"):
        raise ValueError(f"countType is {count_type}")
    by_age = count_type == "sinceImagePushed"
    if (selection.get("countUnit") == "days") != by_age:
        raise ValueError("countUnit must be days with sinceImagePushed, and absent otherwise")
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"countNumber is {count}, not a positive integer")
    return Rule(priority, selection["tagStatus"], _patterns(selection), by_age, count)


def _patterns(selection: Mapping[str, Any]) -> tuple[re.Pattern[str], ...]:
    status, lists = selection["tagStatus"], [name for name in _LISTS if name in selection]
    if status not in ("tagged", "untagged", "any"):
        raise ValueError(f"tagStatus is {status}")
    if len(lists) != (1 if status == "tagged" else 0):
        raise ValueError(f"tagStatus {status} with {' and '.join(lists) or 'no list of tags'}")
    if not lists:
        return ()
    # A prefix is a pattern with a wildcard at its end.
    end = "*" if lists == ["tagPrefixList"] else ""
    return tuple(_pattern(f"{each}{end}") for each in _filled(selection, lists[0]))


def _filled(selection: Mapping[str, Any], name: str) -> list[str]:
    if not selection[name]:
        raise ValueError(f"{name} is empty")
    return list(selection[name])


def _pattern(text: str) -> re.Pattern[str]:
    parts = text.split("*")
    if len(parts) > MOST_WILDCARDS + 1:
        raise ValueError(f"the pattern {text} has more than {MOST_WILDCARDS} wildcards")
    return re.compile(".*".join(map(re.escape, parts)))


def _invalid(reason: str) -> AwsError:
    return AwsError(
        "InvalidParameterException",
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
        f"'Lifecycle policy validation failure: {reason}'",
    )


def _unsupported(what: str) -> AwsError:
    return AwsError("UnsupportedOperation", f"local_aws does not support {what} of a lifecycle policy", 501)
