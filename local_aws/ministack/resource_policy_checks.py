"""Refuses malformed policies of buckets, topics, queues and keys, of the APIs and of CloudFormation."""

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from local_aws.core.cloudformation import Properties
from local_aws.core.resource_policy_grammar import Fault, Rules, fault_of, listed
from local_aws.ministack import iam as stored
from local_aws.ministack.compat import require
from local_aws.ministack.handlers import check_before_change

kms = require("services.kms", "_create_key", "_put_key_policy", "error_response_json", "get_account_id")
s3 = require("services.s3", "_error", "_policy_is_public", "_public_access_blocked", "_put_bucket_policy")
sns = require("services.sns", "_create_topic", "_error", "_p", "_set_topic_attributes")
sqs = require("services.sqs", "_Err", "_HANDLERS")

Document = str | Mapping[str, Any]
_ENTITY = re.compile(r"arn:aws:iam::(\d{12}):(role|user)/(?:.+/)?([^/]+)")
_OTHER_PRINCIPAL = re.compile(
    r"\*|\d{12}|arn:aws:iam::\d{12}:root|arn:aws:sts::\d{12}:(assumed-role|federated-user)/.+"
    r"|arn:aws:iam::cloudfront:user/.+"
)
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
_OF_OBJECTS = re.compile(
    r"s3:((get|put|delete|replicate|restore)object\w*|abortmultipartupload|listmultipartuploadparts)", re.I
)
_OF_BUCKETS = re.compile(r"s3:((get|put|delete)bucket\w*|listbucket\w*)", re.I)
PUBLIC = "public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
# https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
LOCKOUT = "The new key policy will not allow you to update the key policy in the future."


# Takes a policy and the properties, and returns the service's message or None.
Violation = Callable[[Document, Properties], str | None]


def patch_resource_policies(is_service: Callable[[str], bool]) -> None:
    """Check the policies. `is_service` knows the principals of services."""
    checks = _Checks(is_service)
    s3._put_bucket_policy = checks.put_bucket_policy(s3._put_bucket_policy)
    sns._set_topic_attributes = checks.set_topic_attributes(sns._set_topic_attributes)
    sns._create_topic = checks.create_topic(sns._create_topic)
    for name in ("CreateQueue", "SetQueueAttributes"):
        sqs._HANDLERS[name] = checks.set_queue_attributes(sqs._HANDLERS[name])
    for name in ("_create_key", "_put_key_policy"):
        setattr(kms, name, checks.put_key_policy(getattr(kms, name)))
    for resource_type, (key, violation) in checks.of_types().items():
        check_before_change(resource_type, partial(_check, key, violation))


def _check(key: str, violation: Violation, props: Properties) -> None:
    document = props.get(key)
    message = violation(document, props) if document is not None else None
    if message is not None:
        raise ValueError(message)


def _has_action_without_resource(policy: Document) -> bool:
    """Return whether a bucket's policy has an action on objects without any, or one on the bucket without it.

    https://github.com/spack/spack-infrastructure/pull/978
    """
    document = json.loads(policy) if isinstance(policy, str) else policy
    for statement in listed(document["Statement"]):
        resources = listed(statement.get("Resource", "*"))
        actions = listed(statement.get("Action", []))
        objects = any("/" in each or "*" in each for each in resources)
        buckets = any("/" not in each for each in resources)
        if not objects and any(map(_OF_OBJECTS.fullmatch, actions)):
            return True
        if not buckets and any(map(_OF_BUCKETS.fullmatch, actions)):
            return True
    return False


def _public(policy: Document, bucket: str) -> str | None:
    """Return S3's message for a public policy that Block Public Access prevents, or None.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    text = policy if isinstance(policy, str) else json.dumps(policy)
    blocked = s3._public_access_blocked(kms.get_account_id(), bucket, "BlockPublicPolicy")
    return PUBLIC if blocked and s3._policy_is_public(text) else None


class _Checks:
    def __init__(self, is_service: Callable[[str], bool]) -> None:
        self._is_service = is_service

    def of_types(self) -> dict[str, tuple[str, Violation]]:
        """Return the property with the policy of each resource type, and its check."""
        return {
            "AWS::KMS::Key": ("KeyPolicy", lambda policy, props: self.of_key(policy, props)),
            "AWS::S3::BucketPolicy": (
                "PolicyDocument",
                lambda policy, props: (
                    self.of_bucket(policy, str(props["Bucket"])) or _public(policy, str(props["Bucket"]))
                ),
            ),
            "AWS::SNS::TopicPolicy": ("PolicyDocument", lambda policy, _: self.of_topic(policy)),
            "AWS::SQS::QueuePolicy": ("PolicyDocument", lambda policy, _: self.of_queue(policy)),
        }

    def _is_principal(self, kind: str, value: str) -> bool:
        if kind == "Service":
            return self._is_service(value)
        if kind != "AWS" or _OTHER_PRINCIPAL.fullmatch(value):
            return True
        found = _ENTITY.fullmatch(value)
        if found is None:
            return False
        return (stored.role if found[2] == "role" else stored.user)(found[1], found[3]) is not None

    def of_bucket(self, policy: Document, bucket: str) -> str | None:
        """Return S3's message for a malformed policy of a bucket, or None.

        https://github.com/humanmade/S3-Uploads/issues/191,
        https://repost.aws/knowledge-center/s3-invalid-principal-in-policy-error
        """

        def is_resource(resource: str) -> bool:
            arn = f"arn:aws:s3:::{bucket}"
            return resource == "*" or (resource.startswith(arn) and resource.removeprefix(arn)[:1] in "/*")

        required = ("Effect", "Principal", "Action", "Resource")
        fault = fault_of(policy, Rules("s3", required, self._is_principal, is_resource))
        if fault is None and _has_action_without_resource(policy):
            return "Action does not apply to any resource(s) in statement"
        words = {
            Fault.JSON: "Policies must be valid JSON and the first byte must be '{'",
            Fault.SYNTAX: "Invalid policy syntax.",
            Fault.PRINCIPAL: "Invalid principal in policy",
            Fault.ACTION: "Policy has invalid action",
            Fault.RESOURCE: "Policy has invalid resource",
        }
        if fault is None:
            return None
        return words.get(fault[0], f"Missing required field {fault[1]}")

    def of_topic(self, policy: Document) -> str | None:
        """Return SNS's message for a malformed policy of a topic, or None.

        https://github.com/hashicorp/terraform-provider-aws/issues/26041,
        https://github.com/aws/serverless-application-model/issues/1591
        """
        fault = fault_of(policy, Rules("sns", ("Effect", "Principal", "Action"), self._is_principal))
        if fault is None:
            return None
        words = {
            Fault.PRINCIPAL: "Policy Error: PrincipalNotFound",
            Fault.ACTION: "Policy statement action out of service scope!",
        }
        return f"Invalid parameter: {words.get(fault[0], 'Policy Error: null')}"

    def of_queue(self, policy: Document) -> str | None:
        """Return SQS's message for a malformed policy of a queue, or None."""
        rules = Rules("sqs", ("Effect", "Principal", "Action"), self._is_principal)
        return None if fault_of(policy, rules) is None else "Invalid value for the parameter Policy."

    def of_key(self, policy: Document, given: Mapping[str, Any]) -> str | None:
        """Return KMS's message for a malformed policy of a key, or for one that nobody could change.

        https://github.com/lightspin-tech/eks-creation-engine/issues/4,
        https://github.com/trussworks/terraform-aws-cloudtrail/issues/178
        """
        own: list[bool] = []

        def is_principal(kind: str, value: str) -> bool:
            if kind == "AWS":
                own.append(value == "*" or kms.get_account_id() in value)
            return self._is_principal(kind, value)

        rules = Rules("kms", ("Effect", "Principal", "Action", "Resource"), is_principal)
        fault = fault_of(policy, rules)
        if fault is not None and fault[0] is Fault.PRINCIPAL:
            return "Policy contains a statement with one or more invalid principals."
        if fault is not None:
            return "Syntax errors in policy."
        skipped = str(given.get("BypassPolicyLockoutSafetyCheck")).lower() == "true"
        return None if skipped or any(own) else LOCKOUT

    def put_bucket_policy(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def put(name: str, body: bytes) -> Any:
            message = self.of_bucket(body.decode("utf-8", "replace"), name)
            return original(name, body) if message is None else s3._error("MalformedPolicy", message, 400)

        return put

    def set_topic_attributes(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def set_attributes(params: Mapping[str, Any]) -> Any:
            if sns._p(params, "AttributeName") == "Policy":
                message = self.of_topic(sns._p(params, "AttributeValue"))
                if message is not None:
                    return sns._error("InvalidParameter", message, 400)
            return original(params)

        return set_attributes

    def create_topic(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def create(params: Mapping[str, Any]) -> Any:
            number = 1
            while name := sns._p(params, f"Attributes.entry.{number}.key"):
                policy = sns._p(params, f"Attributes.entry.{number}.value")
                message = self.of_topic(policy) if name == "Policy" else None
                if message is not None:
                    return sns._error("InvalidParameter", message, 400)
                number += 1
            return original(params)

        return create

    def set_queue_attributes(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def set_attributes(request: Mapping[str, Any], url: str) -> Any:
            policy = (request.get("Attributes") or {}).get("Policy")
            message = self.of_queue(policy) if policy else None
            if message is not None:
                raise sqs._Err("InvalidAttributeValue", message)
            return original(request, url)

        return set_attributes

    def put_key_policy(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def put(request: Mapping[str, Any]) -> Any:
            policy = request.get("Policy")
            message = self.of_key(policy, request) if policy else None
            if message is not None:
                return kms.error_response_json("MalformedPolicyDocumentException", message, 400)
            return original(request)

        return put
