"""What the stories before this one used of every role: all that is granted is used, or explained."""

import pytest

from integration_tests.cloud import Cloud
from integration_tests.iam import report_of
from integration_tests.permissions import mutations, statements, unexplained


def test_every_permission_is_used_or_explained(cloud: Cloud) -> None:
    if cloud.endpoint is None:
        pytest.skip("AWS does not tell which statement allowed a call")
    suffixes = [folder.parent.name for folder in cloud.folder.glob("*/cdk.log")]
    found = statements(report_of(cloud), suffixes)
    if not any(one.policy == "deployment-role" and one.used for one in found):
        pytest.skip("no story has released anything in this session")
    killed, total = mutations(found)
    print(f"{killed} of {total} statements are missed when they are taken away")
    assert not list(unexplained(found))


def test_no_role_was_refused_anything(cloud: Cloud) -> None:
    if cloud.endpoint is None:
        pytest.skip("AWS does not tell which calls it refused")
    refusals = report_of(cloud)["refusals"]
    assert refusals == []
