"""Tags: AWS's own are refused, but those that CloudFormation sets itself."""

import pytest

from local_aws.core.api import service_model
from local_aws.core.tag_rules import tag_error

REFUSED = "InvalidTagParameterException"


@pytest.mark.parametrize(
    ("key", "system", "code"),
    [
        ("aws:cloudformation:stack-name", True, None),
        ("aws:cloudformation:stack-name", False, REFUSED),
        ("aws:mine", False, REFUSED),
        ("mine", False, None),
    ],
)
def test_only_cloudformation_sets_tags_of_aws(key: str, system: bool, code: str | None) -> None:
    operation = service_model("ecr").operation_model("CreateRepository")
    error = tag_error(operation, {"tags": [{"Key": key, "Value": "v"}]}, system=system)
    assert (error and error[0]) == code
