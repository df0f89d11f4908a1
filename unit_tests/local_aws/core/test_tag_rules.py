"""Tags: AWS's own are refused, but those that CloudFormation sets itself."""

import pytest

from local_aws.core.api import service_model
from local_aws.core.tag_rules import tag_error


@pytest.mark.parametrize(
    ("key", "code"),
    [("aws:cloudformation:stack-name", None), ("aws:mine", "InvalidTagParameterException"), ("mine", None)],
)
def test_only_cloudformation_sets_tags_of_aws(key: str, code: str | None) -> None:
    operation = service_model("ecr").operation_model("CreateRepository")
    error = tag_error(operation, {"tags": [{"Key": key, "Value": "v"}]})
    assert (error and error[0]) == code
