"""Malformed policies are refused in IAM's words; policies that AWS accepts are not."""

import json
from typing import Any

import pytest

from local_aws.core.policy_grammar import SID, SYNTAX, identity_violation, trust_violation

VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
BUCKET = "arn:aws:s3:::example"
GOOD = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": BUCKET}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs.amazonaws.com"}}


def policy(*statements: Any, **more: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def good(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**GOOD, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    "document",
    [
        policy(GOOD),
        {"Version": "2012-10-17", "Statement": GOOD},
        json.dumps(policy(GOOD, Id="a")),
        policy(good(Resource="*", Action="*")),
        policy(good(Action=["s3:Get*", "logs:*"], Resource=[BUCKET, f"{BUCKET}/*"])),
        policy(good(Action=None, NotAction="iam:*", Resource=None, NotResource=BUCKET)),
        policy(good(Resource="arn:aws:iam::123456789012:role/x")),
        policy(good(Resource="arn:*:logs:*:*:*")),
        policy(good(Resource="arn:aws:cloudwatch:us-east-1:123456789012:alarm:a:b")),
        policy(good(Condition={"ForAnyValue:StringLikeIfExists": {"aws:PrincipalArn": ["a"]}})),
        policy(
            good(Condition={"Bool": {"aws:SecureTransport": False}, "Null": {"aws:TokenIssueTime": "true"}})
        ),
        policy(good(Sid="WriteTheLog"), good(Sid="ReadTheLog")),
        {"Statement": [GOOD]},
    ],
)
def test_a_policy_that_iam_accepts_has_no_violation(document: Any) -> None:
    assert identity_violation(document) is None


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("zz", SYNTAX),
        ("[]", SYNTAX),
        ({"Version": "2012-10-17"}, SYNTAX),
        (policy(), SYNTAX),
        (policy("text"), SYNTAX),
        (policy(GOOD, Extra=1), SYNTAX),
        (policy(GOOD, Id=[]), SYNTAX),
        (policy(GOOD, Version="2013-10-17"), SYNTAX),
        (policy(good(Extra=1)), SYNTAX),
        (policy(good(Effect=None)), SYNTAX),
        (policy(good(Effect="Perhaps")), SYNTAX),
        (policy(good(Action=[["s3:GetObject"]])), SYNTAX),
        (policy(good(Resource={"a": BUCKET})), SYNTAX),
        (policy(good(NotAction="s3:PutObject")), SYNTAX),
        (policy(good(NotResource="*")), SYNTAX),
        (policy(good(Condition="a")), SYNTAX),
        (policy(good(Condition={"StringEquals": "a"})), SYNTAX),
        (policy(good(Condition={"Equals": {"aws:a": "b"}})), SYNTAX),
        (policy(good(Sid=1)), SYNTAX),
        (policy(good(Principal="*")), "Policy document should not specify a principal."),
        (policy(GOOD, Version="2008-10-17"), "Policy document must be version 2012-10-17 or greater."),
        ({"Statement": [GOOD]}, "Policy document must be version 2012-10-17 or greater."),
        (policy(good(Effect="allow")), "The policy failed legacy parsing"),
        (policy(good(Resource="arn:aws:s3::example")), "The policy failed legacy parsing"),
        (policy(good(Condition={"DateLessThan": {"a": "08T"}})), "The policy failed legacy parsing"),
        (policy(good(Sid="a"), good(Sid="a")), "Statement IDs (SID) in a single policy must be unique."),
        (policy(good(Action="GetObject")), VENDOR),
        (policy(good(Action="invalid", Resource=None)), VENDOR),
        (policy(good(Action=None, NotAction="")), VENDOR),
        (policy(good(Action=None)), "Policy statement must contain actions."),
        (policy(good(Action=[])), "Policy statement must contain actions."),
        (policy(good(Resource=None)), "Policy statement must contain resources."),
        (policy(good(Resource=[])), "Policy statement must contain resources."),
        (policy(good(Action="s3:Get:Object")), "Actions/Condition can contain only one colon."),
        (policy(good(Action="a a:GetObject")), "Vendor a a is not valid"),
        (policy(good(Resource="example")), 'Resource example must be in ARN format or "*".'),
        (policy(good(Resource="")), 'Resource  must be in ARN format or "*".'),
        (policy(good(Resource="a:b:c")), 'Partition "b" is not valid for resource "arn:b:c:*:*:*".'),
        (
            policy(good(Resource="a:b:c:d:e:f:g:h")),
            'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".',
        ),
        (
            policy(good(Resource="arn:aws")),
            "Resource vendor must be fully qualified and cannot contain regexes.",
        ),
        (
            policy(good(Resource="arn:aws:iam:us-east-1::role/x")),
            "IAM resource arn:aws:iam:us-east-1::role/x cannot contain region information.",
        ),
        (
            policy(good(Resource="arn:aws:iam:::example")),
            'IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, '
            "instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, "
            "oidc-provider/, report/, access-report/.",
        ),
    ],
)
def test_a_malformed_policy_has_iams_message(document: Any, message: str) -> None:
    assert identity_violation(document, managed=True) == message
    if not isinstance(document, str):
        assert identity_violation(json.dumps(document), managed=True) == message


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (policy(TRUST), None),
        (policy({**TRUST, "Action": ["sts:AssumeRole", "sts:TagSession"]}), None),
        (policy({**TRUST, "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}), None),
        ("zz", "This policy contains invalid Json"),
        (policy(), "Missing required field Statement"),
        (policy({"Effect": "Allow", "Action": "sts:AssumeRole"}), "Missing required field Principal"),
        (policy({"Effect": "Allow", "Principal": {"AWS": "*"}}), "Missing required field Action"),
        (policy({**TRUST, "Effect": "allow"}), "Syntax error in policy."),
        (policy({**TRUST, "Principal": []}), "Syntax error in policy."),
        (policy({**TRUST, "Resource": "*"}), "Has prohibited field Resource"),
        (policy({**TRUST, "Principal": "*"}), None),
        (policy({**TRUST, "Principal": {"AWS": ["123456789012", "AROAEXAMPLEID1234567"]}}), None),
        (policy({**TRUST, "Principal": {"Federated": "cognito-identity.amazonaws.com"}}), None),
        (policy({**TRUST, "Principal": "zz"}), 'Invalid principal in policy: "AWS":"zz"'),
        (
            policy({**TRUST, "Principal": {"AWS": "arn:aws:iam::12:root"}}),
            'Invalid principal in policy: "AWS":"arn:aws:iam::12:root"',
        ),
        (
            policy({**TRUST, "Principal": {"Federated": "zz"}}),
            'Invalid principal in policy: "FEDERATED":"zz"',
        ),
        (policy({**TRUST, "Principal": {"Zz": "*"}}), 'Invalid principal in policy: "ZZ":"*"'),
        (policy({**TRUST, "Sid": "a b"}), SID),
        (
            policy({**TRUST, "Action": "s3:GetObject"}),
            "AssumeRole policy may only specify STS AssumeRole actions.",
        ),
        (
            policy({**TRUST, "Principal": {"Service": ["ecs.amazonaws.com", "nope.amazonaws.com"]}}),
            'Invalid principal in policy: "SERVICE":"nope.amazonaws.com"',
        ),
    ],
)
def test_a_malformed_trust_policy_has_iams_message(document: Any, message: str | None) -> None:
    assert trust_violation(document, lambda name: name == "ecs.amazonaws.com") == message
