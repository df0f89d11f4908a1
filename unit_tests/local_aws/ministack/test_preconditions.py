"""CloudFormation rejects circular dependencies, empty templates, invalid names and secure strings."""

import pytest
from botocore.exceptions import ClientError

from unit_tests.local_aws.cloudformation_cloud import TRUST, Cloud, Template, template

NO_RESOURCES = "Template format error: At least one Resources member must be defined."
TOPIC = {"Type": "AWS::SNS::Topic"}


def topic_after(other: str) -> Template:
    return {**TOPIC, "DisplayName": {"Fn::GetAtt": [other, "TopicName"]}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (template(), NO_RESOURCES),
        ("{}", NO_RESOURCES),
        (
            template(A=topic_after("B"), B=topic_after("A"), C=TOPIC),
            "Circular dependency between resources: [A, B]",
        ),
    ],
)
def test_an_invalid_template_is_rejected_before_any_resource_is_created(
    cloud: Cloud, body: str, words: str
) -> None:
    cloudformation = cloud.client("cloudformation")
    with pytest.raises(ClientError) as error:
        cloudformation.create_stack(StackName="never", TemplateBody=body)
    assert error.value.response["Error"]["Message"] == words
    with pytest.raises(ClientError, match="does not exist"):
        cloud.stack("never")
    with pytest.raises(ClientError) as error:
        cloudformation.create_change_set(
            StackName="never", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body
        )
    assert error.value.response["Error"]["Message"] == words


def test_a_stack_is_not_updated_to_a_template_with_circular_dependencies(cloud: Cloud) -> None:
    assert cloud.create("straight", template(A=TOPIC)) == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="Circular dependency between resources"):
        cloud.update("straight", template(A=topic_after("B"), B=topic_after("A")))
    assert cloud.stack("straight")["StackStatus"] == "CREATE_COMPLETE"


def test_a_nested_stack_without_resources_fails_its_parent(cloud: Cloud) -> None:
    assert cloud.create("hollow", template(N=cloud.nested("empty", "{}"))) == "ROLLBACK_COMPLETE"
    assert NO_RESOURCES in cloud.reasons("hollow")


def test_a_parameter_is_neither_created_nor_updated_as_a_secure_string(cloud: Cloud) -> None:
    parameter = {"Type": "AWS::SSM::Parameter", "Name": "/plain", "Value": "v"}
    text = template(P=parameter)
    plain = text.replace('"Name"', '"Type": "String", "Name"')
    secret = text.replace('"Name"', '"Type": "SecureString", "Name"')
    words = "SSM Parameters of type SecureString cannot be created using CloudFormation"
    assert cloud.create("secret", secret) == "ROLLBACK_COMPLETE"
    assert words in cloud.reasons("secret")
    assert cloud.create("plain", plain) == "CREATE_COMPLETE"
    assert cloud.update("plain", secret) == "UPDATE_ROLLBACK_COMPLETE"
    assert words in cloud.reasons("plain")


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        (
            {"Type": "AWS::IAM::Role", "RoleName": "r" * 65, "AssumeRolePolicyDocument": TRUST},
            "#/RoleName: failed validation constraint for keyword [maxLength]",
        ),
        (
            {"Type": "AWS::Events::Rule", "Name": "r" * 65, "ScheduleExpression": "rate(1 day)"},
            "#/Name: failed validation constraint for keyword [maxLength]",
        ),
        (
            {"Type": "AWS::ECR::Repository", "RepositoryName": "two//parts"},
            "#/RepositoryName: failed validation constraint for keyword [pattern]",
        ),
        ({"Type": "AWS::S3::Bucket", "BucketName": "ab"}, "should be between 3 and 63 characters long"),
        (
            {"Type": "AWS::S3::Bucket", "BucketName": "Abc"},
            "#/BucketName: failed validation constraint for keyword [pattern]",
        ),
    ],
)
def test_a_name_that_aws_rejects_creates_nothing(cloud: Cloud, resource: Template, words: str) -> None:
    assert cloud.create("named", template(R=resource)) == "ROLLBACK_COMPLETE"
    assert words in cloud.reasons("named")
    cloud.delete("named")
