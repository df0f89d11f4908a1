"""The check in front of every API call, and of what services do without one."""

import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError, Response
from local_aws.core.context import ACCOUNT, Context, ServiceRole
from local_aws.iam import error_responses, request_parser
from local_aws.iam.account import Account
from local_aws.iam.decision_log import Ledger
from local_aws.iam.evaluation import Decision, Policies, Request, decide
from local_aws.iam.matching import Value
from local_aws.iam.principals import Caller, service, session, session_of
from local_aws.iam.required_permissions import Asked, asked
from local_aws.iam.web_identity import TokenError, identity
from local_aws.ministack import iam as store
from local_aws.ministack.iam import Text

logger = logging.getLogger("local_aws.iam")

# Nobody needs a permission for them.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
# Where an owner, too, may ask for what is another account's.
ACROSS = frozenset({"ecr", "sts"})
LAMBDA = "lambda.amazonaws.com"
# Links in SNS's mails.
UNSIGNED = frozenset({"ConfirmSubscription", "Unsubscribe"})
MISSING = error_responses.Refusal("Request is missing Authentication Token", "MissingAuthenticationToken")
INVALID = error_responses.Refusal(
    "The security token included in the request is invalid.", "UnrecognizedClientException"
)
EXPIRED = error_responses.Refusal(
    "The security token included in the request is expired", "ExpiredTokenException"
)


class Enforcer:
    """Decides about calls by their access key. The account's own key may do everything."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.ledger = Ledger()
        # Set once the services are there.
        self.policy_of_repository: Callable[[str], Text | None] = lambda _arn: None
        self._accounts: dict[str, Account] = {}
        # Whose access key is which function's.
        self._functions: dict[str, str] = {}

    def account(self, number: str) -> Account:
        """Return an account by its number."""
        made = Account(self.context, number, lambda arn: self.policy_of_repository(arn))
        return self._accounts.setdefault(number, made)

    def is_free(self, request: request_parser.HttpRequest) -> bool:
        """Say whether a request needs no decision, without looking at its body."""
        found = request_parser.credential(request)
        if found is None:
            form = "x-www-form-urlencoded" in request.headers.get("content-type", "")
            return not form and "x-amz-target" not in request.headers
        return self._is_owner(found) and found.service not in ACROSS

    def check(self, request: request_parser.HttpRequest) -> Response | None:
        """Return the refusal of a request, or None when it may pass."""
        found = request_parser.credential(request)
        if found is None:
            return self._check_unsigned(request)
        if self._is_owner(found):
            return self._check_owner(request, found)
        about = store.session(found.access_key)
        if about is None or (about.token and about.token != found.token):
            return error_responses.response(INVALID, request, found.service)
        if about.expired:
            return error_responses.response(EXPIRED, request, found.service)
        with store.scope(session(about.arn).account):
            return self._check_known(request, found, about)

    def _check_known(
        self, request: request_parser.HttpRequest, found: request_parser.Credential, about: store.Session
    ) -> Response | None:
        """Check a request of a role or a user, in the stores of its account."""
        scope, request = self._of_bucket(request, found.service)
        try:
            call = request_parser.read(request, scope)
        except request_parser.WrongScopeError:
            told = error_responses.Refusal(
                "Credential should be scoped to correct service.", "SignatureDoesNotMatch"
            )
            return error_responses.response(told, request, scope)
        if f"{call.service}:{call.operation}" in FREE:
            return None
        account = self.account(session(about.arn).account)
        caller = account.caller(found.access_key) or session(about.arn)
        for one in asked(call, request, account.place, account):
            values = dict(self._values(caller, one, about))
            if found.access_key in self._functions:
                values["lambda:sourcefunctionarn"] = self._functions[found.access_key]
            refused = self._decide(caller, one, values, found.access_key)
            if refused is not None:
                return error_responses.response(refused, request, scope)
        return None

    def _check_unsigned(self, request: request_parser.HttpRequest) -> Response | None:
        """Check a request that nobody signed: the links of SNS's mails, and a web identity's."""
        if "x-amz-target" in request.headers:
            return error_responses.response(MISSING, request, "")
        call = request_parser.read(request, "sts")
        if call.operation in UNSIGNED:
            return None
        if call.operation != "AssumeRoleWithWebIdentity":
            return error_responses.response(MISSING, request, "sts")
        role = str(call.params.get("RoleArn", ""))
        account = role.split(":")[4] if role.count(":") > 4 else ""
        try:
            token = str(call.params.get("WebIdentityToken", ""))
            found = identity(token, account, store.identity_providers(account))
        except TokenError as error:
            return error_responses.response(error.refusal, request, "sts")
        one = Asked("sts:AssumeRoleWithWebIdentity", role, found.values)
        refused = self._decide(found.caller, one, self._values(found.caller, one, None), "")
        return None if refused is None else error_responses.response(refused, request, "sts")

    def _check_owner(
        self, request: request_parser.HttpRequest, found: request_parser.Credential
    ) -> Response | None:
        """Check what an owner asks of a role or of another account's registry; all else is theirs to do."""
        call = request_parser.read(request, found.service)
        if call.operation != "AssumeRole" and "registryId" not in call.params:
            return None
        root = _root_of(found.access_key)
        account = self.account(root.account)
        for one in asked(call, request, account.place, account):
            refused = self._decide(root, one, self._values(root, one, None), "")
            if refused is not None:
                return error_responses.response(refused, request, found.service)
        return None

    def authorize(self, caller: str, action: str, resource: str) -> None:
        """Raise `AwsError` unless a caller, by access key or by a role's ARN, may do what has no API call."""
        if caller.startswith("arn:"):
            who = session_of(caller, "local-aws")
        elif store.is_root(caller) or not self._is_known(caller):
            who = _root_of(caller)
        else:
            who = self.account(ACCOUNT).caller(caller) or Caller("unknown")
        one = Asked(action, resource)
        about = None if caller.startswith("arn:") else store.session(caller)
        refused = self._decide(who, one, self._values(who, one, about), "")
        if refused is not None:
            raise AwsError("AccessDeniedException", refused.message)

    def assume(self, role: ServiceRole) -> dict[str, str]:
        """Give a service the credentials of a role, if the role's trust lets it. Raises `ClientError`."""
        # Lambda does not say for which function it takes on a role; a trust that asks for it lets nobody in.
        source_arn = "" if role.service == LAMBDA else role.source_arn
        refused = self.denial_reason(role.service, "sts:AssumeRole", role, source_arn)
        if refused is not None:
            error = {"Error": {"Code": "AccessDenied", "Message": refused}}
            raise ClientError(error, "AssumeRole")
        given = store.give_session(role, role.service.partition(".")[0])
        if role.service == LAMBDA:
            self._functions[given["AccessKeyId"]] = role.source_arn
        return given

    def denial_reason(self, principal: str, action: str, resource: str, source_arn: str = "") -> str | None:
        """Say why an AWS service itself may not do something to a resource, or None.

        `source_arn` is for what it acts; some services (EventBridge, to an encrypted topic) do not say.
        """
        caller, one = service(principal), Asked(action, resource)
        values = dict(self._values(caller, one, None))
        if source_arn:
            about = ("aws:sourceaccount", "aws:sourceowner")
            values |= {"aws:sourcearn": source_arn, **dict.fromkeys(about, source_arn.split(":")[4])}
        refused = self._decide(caller, one, values, "")
        return None if refused is None else refused.message

    def report(self) -> dict[str, Any]:
        """Return every statement with its use, and every refusal (GET /_local_aws/iam)."""
        self._see_all()
        return self.ledger.report()

    def _see_all(self) -> None:
        for number in store.accounts():
            for policy in self.account(number).all_policies():
                self.ledger.see(policy)

    def _is_owner(self, found: request_parser.Credential) -> bool:
        return store.is_root(found.access_key) or not self._is_known(found.access_key)

    def _is_known(self, access_key: str) -> bool:
        # A long-term key that IAM did not give out is the caller's own of elsewhere: the account's, here.
        return access_key.startswith("ASIA") or store.session(access_key) is not None

    def _of_bucket(
        self, request: request_parser.HttpRequest, scope: str
    ) -> tuple[str, request_parser.HttpRequest]:
        bucket = store.virtual_bucket(request.headers.get("host", ""))
        if not bucket:
            return scope, request
        path = f"/{bucket}{request.path}"
        return "s3", request_parser.HttpRequest(
            request.method, path, request.query, request.headers, request.body
        )

    def _decide(
        self, caller: Caller, one: Asked, values: Mapping[str, Value], access_key: str
    ) -> error_responses.Refusal | None:
        self._see_all()
        own = caller.account or ACCOUNT
        policies = self.account(own).policies(caller, one.action, one.resource, access_key)
        request = Request(caller, one.action, one.resource, _owner(one.resource, own), values)
        decision = _decide_on_role(request, policies)
        self.ledger.add(request, policies, decision)
        if decision.allowed:
            return None
        told = error_responses.refusal(request, decision)
        logger.warning("refused: %s", told.message)
        return told

    def _values(self, caller: Caller, one: Asked, about: store.Session | None) -> Mapping[str, Value]:
        """Return a request's context keys.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
        """
        now = datetime.now(UTC)
        values: dict[str, Value] = {
            "aws:currenttime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "aws:epochtime": str(int(now.timestamp())),
            "aws:requestedregion": self.context.region,
            # The endpoint stands for AWS's, which is HTTPS.
            "aws:securetransport": "true",
            "aws:sourceip": "127.0.0.1",
            "aws:resourceaccount": _owner(one.resource, caller.account or ACCOUNT),
            "aws:viaawsservice": "false",
            "aws:principalisawsservice": str(bool(caller.service)).lower(),
        }
        if caller.service:
            values["aws:principalservicename"] = caller.service
        if caller.account:
            values["aws:principalarn"] = caller.role_arn or caller.arn
            values["aws:principalaccount"] = caller.account
            values["aws:principaltype"] = "AssumedRole" if caller.role_arn else "User"
        if about is not None:
            values["aws:userid"] = about.user_id
            values |= {f"aws:principaltag/{key.lower()}": value for key, value in about.tags.items()}
        if caller.account and not caller.role_arn:
            values["aws:username"] = caller.arn.rpartition("/")[2]
        return {**values, **one.values}


def _root_of(access_key: str) -> Caller:
    """Return the owner whose key it is: an account's number is a key of its owner's."""
    number = access_key if access_key.isdigit() else ACCOUNT
    return Caller(f"arn:aws:iam::{number}:root", number)


def _decide_on_role(request: Request, policies: Policies) -> Decision:
    """Decide; a role that does not exist is refused like one that does not trust the caller."""
    if request.action.startswith("sts:AssumeRole") and policies.resource is None:
        return Decision(False, "because no resource-based policy allows the action", ())
    return decide(request, policies)


def _owner(resource: str, own: str) -> str:
    """Return the account of a resource; the ARNs of S3 name none, so its owner is looked up."""
    parts = resource.split(":")
    if resource.startswith("arn:aws:s3:::"):
        return store.bucket_owner(parts[5].partition("/")[0])
    return parts[4] if len(parts) > 5 and parts[4] else own
