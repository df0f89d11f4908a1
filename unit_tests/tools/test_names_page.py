"""docs/names.md: every resource has a name, or a reason for none."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.errors import AppError
from tools.assembly import Assembly, Template
from tools.names_page import REASONS, page
from tools.synthesis import every_option
from unit_tests.assembly_cache import cached_assembly


@pytest.fixture(scope="module")
def whole() -> Assembly:
    return Assembly.read(cached_assembly(every_option()))


def of(type_: str, **properties: Any) -> Assembly:
    """Return an assembly with one resource."""
    metadata = {"aws:cdk:path": "Stack/Network/X/Resource"}
    body = {"Resources": {"X": {"Type": type_, "Properties": properties, "Metadata": metadata}}}
    return Assembly({"Stack": Template("Stack", body, 0)})


def rows(assembly: Assembly, columns: int) -> list[list[str]]:
    """Return the cells of the rows with a resource type and so many columns."""
    cells = [line.strip("| ").split(" | ") for line in page(assembly).splitlines() if "::" in line]
    return [row for row in cells if len(row) == columns]


def test_every_resource_is_on_the_page(whole: Assembly) -> None:
    named, unnamed = rows(whole, 4), rows(whole, 3)
    resources = list(whole.resources())
    assert len(named) + sum(int(count) for _, count, _ in unnamed) == len(resources)
    assert {row[0] for row in (*named, *unnamed)} == {each.type for each in resources}


def test_every_name_has_the_suffix(whole: Assembly) -> None:
    names = [name for _, name, _, _ in rows(whole, 4)]
    assert len(names) > 50
    assert not [name for name in names if "-dev" not in name]


def test_no_reason_is_for_a_type_that_the_app_does_not_have(whole: Assembly) -> None:
    assert set(REASONS) == {type_ for type_, _, _ in rows(whole, 3)}


@pytest.mark.parametrize(
    ("assembly", "row"),
    [
        (
            of("AWS::SNS::Topic", TopicName="notifications-dev"),
            "| AWS::SNS::Topic | `notifications-dev` | `TopicName` | Network/X |",
        ),
        (
            of("AWS::KMS::Key", Tags=[{"Key": "team", "Value": "a"}, {"Key": "Name", "Value": "key-dev"}]),
            "| AWS::KMS::Key | `key-dev` | tag `Name` | Network/X |",
        ),
        (
            of("AWS::S3::Bucket", BucketName={"Fn::Join": ["", ["a-dev-", {"Ref": "AWS::AccountId"}]]}),
            "| AWS::S3::Bucket | `a-dev-<AWS::AccountId>` | `BucketName` | Network/X |",
        ),
        (of("AWS::EC2::Route"), "| AWS::EC2::Route | 1 | a line of its route table |"),
    ],
)
def test_a_row_says_what_holds_the_name(assembly: Assembly, row: str) -> None:
    assert row in page(assembly).splitlines()


def test_a_resource_with_neither_name_nor_reason_is_rejected() -> None:
    """The CDK writes its own Lambda function as a plain resource, whose name no aspect can read."""
    with pytest.raises(AppError, match=r"Network/X \(AWS::Lambda::Function\) has no name: name it"):
        page(of("AWS::Lambda::Function"))
