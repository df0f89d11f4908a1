"""A wrong template is refused, as AWS refuses it."""

from __future__ import annotations

import pytest

from local_aws.core.resource_schemas import violations
from unit_tests.local_aws.cloudformation_cloud import Cloud
from unit_tests.local_aws.template_mutations.explanations import EXPLAINED
from unit_tests.local_aws.template_mutations.mutations import Mutation
from unit_tests.local_aws.template_mutations.suite import (
    accepted_by_validation,
    cases,
    refusals,
    templates,
    unexplained,
)
from unit_tests.local_aws.template_mutations.verdicts import validation_refusal

# `make fidelity` deploys all; of the rest, one in this many.
SAMPLE = 12
ONLY_THE_SERVICE_KNOWS = ("dangling id", "policy: ")


def test_nothing_but_ids_and_policies_passes_the_validation() -> None:
    passed = [case.name for case in accepted_by_validation()]
    assert [name for name in passed if not any(kind in name for kind in ONLY_THE_SERVICE_KNOWS)] == []


def test_the_mutations_are_of_every_resource_type_and_kind() -> None:
    types = {resource["Type"] for resources in templates() for resource in resources.values()}
    assert {case.mutation.resource_type for case in cases()} == types
    assert len(cases()) > 1900


@pytest.mark.parametrize("number", [0, 1])
def test_the_templates_themselves_pass_the_validation(number: int) -> None:
    resources = templates()[number]
    refused = {
        name: validation_refusal(Mutation("none", each["Type"], name, (), each), resources)
        for name, each in resources.items()
    }
    assert {name: why for name, why in refused.items() if why} == {}


def test_the_service_refuses_a_sample_of_the_rest(cloud: Cloud) -> None:
    assert unexplained(refusals(cloud, accepted_by_validation()[::SAMPLE])) == []


def test_each_explained_mutation_exists() -> None:
    assert EXPLAINED.keys() <= {case.name for case in accepted_by_validation()}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"DelaySeconds": "30", "FifoQueue": "true", "QueueName": 5}, None),
        ({"DelaySeconds": "soon"}, "expected type: Integer, found: String"),
        ({"DelaySeconds": 5.5}, "expected type: Integer, found: Number"),
        ({"FifoQueue": "perhaps"}, "expected type: Boolean, found: String"),
        ({"QueueName": ["q"]}, "expected type: String, found: JSONArray"),
        ({"Tags": {"Key": "k"}}, "expected type: JSONArray, found: JSONObject"),
        ({"Tags": [{"Key": "k"}]}, "required key [Value] not found"),
        ({"Delay": 5}, "extraneous key [Delay] is not permitted"),
    ],
)
def test_cloudformation_converts_scalars_and_refuses_other_types(
    properties: dict[str, object], message: str | None
) -> None:
    assert [each.message for each in violations("AWS::SQS::Queue", properties)] == [message] * bool(message)
