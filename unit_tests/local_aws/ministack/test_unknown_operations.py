"""Operations that MiniStack lacks, of AWS's model and of nobody's."""

import pytest

from local_aws.core.api import Response
from local_aws.ministack.unknown_operations import name_unsupported

XML = b"<Error><Code>InvalidAction</Code><Message>Unknown %s: %s</Message></Error>"
SQS = b"""{"__type": "com.amazonaws.sqs#InvalidAction",
 "message": "The action ListMessageMoveTasks is not valid for this endpoint."}"""
JSON = b'{"__type": "InvalidAction", "message": "Unknown action: %s"}'


@pytest.mark.parametrize(
    ("service", "body", "expected"),
    [
        ("elbv2", XML % (b"ELBv2 action", b"DescribeSSLPolicies"), b"elbv2:DescribeSSLPolicies"),
        ("elbv2", XML % (b"ELBv2 action", b"DescribeAccountLimits"), b"elbv2:DescribeAccountLimits"),
        ("ec2", XML % (b"EC2 action", b"DescribeHosts"), b"ec2:DescribeHosts"),
        ("ssm", JSON % b"CreateDocument", b"ssm:CreateDocument"),
        ("sqs", SQS, b"sqs:ListMessageMoveTasks"),
        ("logs", JSON % b"StartLiveTail", b"logs:StartLiveTail"),
    ],
)
def test_an_operation_that_aws_has_is_unsupported(service: str, body: bytes, expected: bytes) -> None:
    headers = {"Content-Length": "9", "x-amzn-errortype": "InvalidAction"}
    status, answered, content = name_unsupported(service, (400, headers, body))
    assert status == 501
    assert b"local_aws does not implement " + expected in content
    assert b"UnsupportedOperation" in content
    assert b"InvalidAction" not in content
    assert answered == {"x-amzn-errortype": "UnsupportedOperation"}


@pytest.mark.parametrize(
    ("service", "status", "body"),
    [
        ("elbv2", 400, XML % (b"ELBv2 action", b"DescribeNothing")),
        ("no-such-service", 400, JSON % b"DescribeHosts"),
        ("ssm", 200, JSON % b"CreateDocument"),
        ("ssm", 400, b'{"__type": "ParameterNotFound"}'),
    ],
)
def test_any_other_answer_stays_as_it_is(service: str, status: int, body: bytes) -> None:
    response: Response = (status, {"Content-Type": "text/xml"}, body)
    assert name_unsupported(service, response) == response
