"""The policies of buckets, topics, queues and keys are checked, each with the words of its service."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud, template

ACCOUNT = "123456789012"
Put = Callable[[str], Any]


def statement(service: str, **changes: Any) -> dict[str, Any]:
    actions = {"s3": "s3:GetObject", "sns": "sns:Publish", "sqs": "sqs:SendMessage", "kms": "kms:*"}
    resource = "arn:aws:s3:::policies/*" if service == "s3" else "*"
    whole: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": actions[service],
        "Resource": resource,
    }
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def policy(service: str, **changes: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement(service, **changes)]})


@pytest.fixture(scope="module")
def puts(cloud: Cloud) -> dict[str, Put]:
    """What sets the policy of one resource of each service."""
    s3, sns, sqs, kms = (cloud.client(name) for name in ("s3", "sns", "sqs", "kms"))
    s3.create_bucket(Bucket="policies")
    topic = sns.create_topic(Name="policies")["TopicArn"]
    queue = sqs.create_queue(QueueName="policies")["QueueUrl"]
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    return {
        "s3": lambda text: s3.put_bucket_policy(Bucket="policies", Policy=text),
        "sns": lambda text: sns.set_topic_attributes(
            TopicArn=topic, AttributeName="Policy", AttributeValue=text
        ),
        "sqs": lambda text: sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": text}),
        "kms": lambda text: kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text),
    }


CODES = {
    "s3": "MalformedPolicy",
    "sns": "InvalidParameter",
    "sqs": "InvalidAttributeValue",
    "kms": "MalformedPolicyDocumentException",
}
ANY = "Invalid value for the parameter Policy."
NO_ROLE = {"AWS": f"arn:aws:iam::{ACCOUNT}:role/nobody"}
NO_SERVICE = {"Service": "nothing.amazonaws.com"}
CASES: list[tuple[str, dict[str, Any], str]] = [
    ("s3", {"Principal": None}, "Missing required field Principal"),
    ("s3", {"Resource": None}, "Missing required field Resource"),
    ("s3", {"Principal": NO_ROLE}, "Invalid principal in policy"),
    ("s3", {"Principal": NO_SERVICE}, "Invalid principal in policy"),
    ("s3", {"Action": "sqs:SendMessage"}, "Policy has invalid action"),
    ("s3", {"Resource": "arn:aws:s3:::another/*"}, "Policy has invalid resource"),
    ("s3", {"Effect": "Maybe"}, "Invalid policy syntax."),
    ("sns", {"Principal": NO_ROLE}, "Invalid parameter: Policy Error: PrincipalNotFound"),
    ("sns", {"Principal": NO_SERVICE}, "Invalid parameter: Policy Error: PrincipalNotFound"),
    ("sns", {"Principal": None}, "Invalid parameter: Policy Error: null"),
    (
        "sns",
        {"Action": "sqs:SendMessage"},
        "Invalid parameter: Policy statement action out of service scope!",
    ),
    ("sqs", {"Principal": NO_ROLE}, ANY),
    ("sqs", {"Action": "SendMessage"}, ANY),
    ("sqs", {"Effect": None}, ANY),
    ("kms", {"Principal": NO_ROLE}, "Policy contains a statement with one or more invalid principals."),
    ("kms", {"Condition": {"StringMatches": {"a": "b"}}}, "Syntax errors in policy."),
    (
        "kms",
        {"Principal": {"AWS": "210987654321"}},
        "The new key policy will not allow you to update the key policy in the future.",
    ),
]


@pytest.mark.parametrize(("service", "changes", "message"), CASES)
def test_a_malformed_policy_is_refused(
    puts: dict[str, Put], service: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError) as caught:
        puts[service](policy(service, **changes))
    error = caught.value.response["Error"]
    assert (error["Code"], error["Message"]) == (CODES[service], message)


@pytest.mark.parametrize("service", CODES)
def test_no_json_is_refused(puts: dict[str, Put], service: str) -> None:
    with pytest.raises(ClientError) as caught:
        puts[service]("no policy")
    assert caught.value.response["Error"]["Code"] == CODES[service]


@pytest.mark.parametrize("service", CODES)
def test_a_policy_of_an_existing_role_and_a_service_is_kept(
    cloud: Cloud, puts: dict[str, Put], service: str
) -> None:
    name = f"reader-of-{service}"
    document = json.dumps(TRUST)
    role = cloud.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    puts[service](policy(service, Principal={"AWS": role, "Service": "delivery.logs.amazonaws.com"}))


def test_a_template_with_it_fails_for_the_same_reason(cloud: Cloud) -> None:
    document = {"Version": "2012-10-17", "Statement": [statement("sns", Principal=NO_ROLE)]}
    topic = {"Type": "AWS::SNS::Topic"}
    of_topic = {"Type": "AWS::SNS::TopicPolicy", "Topics": [{"Ref": "T"}], "PolicyDocument": document}
    assert cloud.create("malformed", template(T=topic, P=of_topic)) == "ROLLBACK_COMPLETE"
    assert "PrincipalNotFound" in cloud.reasons("malformed")
