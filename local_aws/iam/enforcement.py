"""Authorization of every API call, and of what services do without one."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from local_aws.core.api import AwsError, Response
from local_aws.core.context import ACCOUNT, Context, ServiceRole
from local_aws.iam import authentication, principals, request_parser
from local_aws.iam.account import Account
from local_aws.iam.authentication import INVALID, MISSING, authenticate, git_access_key, is_open
from local_aws.iam.context_keys import context_keys
from local_aws.iam.decision_log import DecisionLog
from local_aws.iam.error_responses import Denial, denial_of, response
from local_aws.iam.evaluation import Decision, Policies, Request, decide
from local_aws.iam.matching import Value
from local_aws.iam.principals import Caller
from local_aws.iam.request_parser import Credential, HttpRequest, WrongScopeError, lacks_members, parse_call
from local_aws.iam.required_permissions import Permission, required_permissions, via_service
from local_aws.iam.web_identity import TokenError, identity
from local_aws.ministack import account_scope, s3, service_linked_roles
from local_aws.ministack import iam as store
from local_aws.ministack.iam import Text

logger = logging.getLogger("local_aws.iam")

# Operations that need no permission.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
# The services with which a root user may call another account.
CROSS_ACCOUNT = frozenset({"ecr", "kms", "sts"})
WRONG_SCOPE = Denial("Credential should be scoped to correct service.", "SignatureDoesNotMatch")


class Enforcer:
    """Authorizes calls by their access key. The root user of an account may do everything in it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.log = DecisionLog()
        # Set once the services exist.
        self.policy_of_repository: Callable[[str], Text | None] = lambda _arn: None
        self._accounts: dict[str, Account] = {}
        # The ARN of the function that an access key was issued to.
        self._functions: dict[str, str] = {}

    def account(self, number: str) -> Account:
        """Return an account by its number."""
        account = Account(self.context, number, lambda arn: self.policy_of_repository(arn))
        return self._accounts.setdefault(number, account)

    def is_free(self, request: HttpRequest) -> bool:
        """Return whether a request needs no decision, without its body."""
        return request_parser.credential(request) is None and is_open(request)

    def check(self, request: HttpRequest) -> Response | None:
        """Return the response to a denied request, or None for an allowed one."""
        credential = request_parser.credential(request)
        if credential is None:
            return self._check_unsigned(request)
        failure = authenticate(request, credential, self.context.secret)
        if failure is not None:
            return response(failure, request, credential.service)
        if store.is_root(credential.access_key):
            return self._check_root(request, credential)
        session = store.session(credential.access_key)
        if session is None:
            return response(INVALID, request, credential.service)
        with account_scope.scope(principals.session(session.arn).account):
            return self._check_session(request, credential, session)

    def _check_session(
        self, request: HttpRequest, credential: Credential, session: store.Session
    ) -> Response | None:
        """Check a request of a role or a user, in the stores of its account."""
        service, request = _with_bucket_in_path(request, credential.service)
        try:
            call = parse_call(request, service)
        except WrongScopeError:
            return response(WRONG_SCOPE, request, service)
        if f"{call.service}:{call.operation}" in FREE or lacks_members(call, "sts"):
            return None
        caller = self._caller_of(credential.access_key, session)
        account = self.account(principals.session(session.arn).account)
        for permission in required_permissions(call, request, account.arn_scope, account):
            values = self._context_keys(caller, permission, session)
            if credential.access_key in self._functions:
                values["lambda:sourcefunctionarn"] = self._functions[credential.access_key]
            denial = self._decide(caller, permission, values, credential.access_key)
            if denial is not None:
                return response(denial, request, service)
        return None

    def _check_unsigned(self, request: HttpRequest) -> Response | None:
        """Check a request without a signature: a link in an e-mail of SNS, or a web identity's."""
        if service := authentication.insecure_service(request):
            return response(authentication.INSECURE, request, service)
        form = "x-www-form-urlencoded" in request.headers.get("content-type", "")
        if "x-amz-target" in request.headers:
            return response(MISSING, request, "")
        if not form and "Action" not in request.query:
            # Nothing is public: a bucket's policy for everybody is not evaluated.
            return response(Denial("Access Denied"), request, "s3")
        call = parse_call(request, "sts")
        if authentication.needs_no_token(call):
            return None
        if call.operation != authentication.WEB_IDENTITY:
            return response(MISSING, request, "sts")
        role = str(call.params.get("RoleArn", ""))
        account = role.split(":")[4] if role.count(":") > 4 else ""
        try:
            found = identity(str(call.params["WebIdentityToken"]), account, store.identity_providers(account))
        except TokenError as error:
            return response(error.denial, request, "sts")
        permission = Permission("sts:AssumeRoleWithWebIdentity", role, found.values)
        denial = self._decide(found.caller, permission, self._context_keys(found.caller, permission), "")
        return None if denial is None else response(denial, request, "sts")

    def _check_root(self, request: HttpRequest, credential: Credential) -> Response | None:
        """Check a root user's call to a role, a key, or another account's registry; any other is allowed.

        The policy of a key may deny its use to the root user, too.
        """
        if credential.service not in CROSS_ACCOUNT:
            return None
        call = parse_call(request, credential.service)
        root = _root_of(credential.access_key)
        account = self.account(root.account)
        is_key = ":key/" in account.key_arn(str(call.params.get("KeyId", "")))
        role = call.operation == "AssumeRole" and not lacks_members(call, "sts")
        if not (role or is_key or "registryId" in call.params):
            return None
        for permission in required_permissions(call, request, account.arn_scope, account):
            denial = self._decide(root, permission, self._context_keys(root, permission), "")
            if denial is not None:
                return response(denial, request, credential.service)
        return None

    def authorize(self, caller: str, action: str, resource: str, via: str = "") -> None:
        """Raise `AwsError` unless a caller (access key or role ARN) may act; `via` uses a key for it."""
        keys = via_service(via, self.context.region, self.context.account) if via else {}
        self._authorize(caller, Permission(action, resource, keys))

    def create_service_linked_role(self, account: str, service: str, caller: str) -> None:
        """Create the role of a service, unless the account has it or the caller may not create it.

        CloudFormation has no access key, and may do everything.
        https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html
        """
        if service_linked_roles.exists(account, service):
            return
        if caller:
            resource = service_linked_roles.role_arn(account, service)
            values: dict[str, Value] = {"iam:awsservicename": service}
            try:
                self._authorize(caller, Permission("iam:CreateServiceLinkedRole", resource, values))
            except AwsError:
                return
        service_linked_roles.create(account, service)

    def _authorize(self, caller: str, permission: Permission) -> None:
        if caller.startswith("arn:"):
            principal = principals.session_of(caller, "local-aws")
        elif store.is_root(caller):
            principal = _root_of(caller)
        else:
            principal = self.account(ACCOUNT).caller(caller) or Caller("unknown")
        session = None if caller.startswith("arn:") else store.session(caller)
        values = self._context_keys(principal, permission, session)
        denial = self._decide(principal, permission, values, "")
        if denial is not None:
            raise AwsError("AccessDeniedException", denial.message)

    def identity(self, access_key: str) -> str:
        """Return the ARN of the user or the session that an access key was issued to, else of a root user."""
        found = None if store.is_root(access_key) else store.session(access_key)
        return _root_of(access_key).arn if found is None else found.arn

    def git_caller(self, authorization: str, path: str, host: str) -> str | None:
        """Return the access key that git presents for a repository's path, or None if it proves none."""
        return git_access_key(authorization, path, host, self.context.region, self.context.secret)

    def git_denial(self, access_key: str, action: str, repository: str, reference: str = "") -> str | None:
        """Say why a git user may not pull from a repository or push a reference to it, or return None."""
        permission = Permission(action, repository, {"codecommit:references": reference} if reference else {})
        if store.is_root(access_key):
            root = _root_of(access_key)
            denial = self._decide(root, permission, self._context_keys(root, permission), "")
        elif session := store.session(access_key):
            with account_scope.scope(principals.session(session.arn).account):
                caller = self._caller_of(access_key, session)
                values = self._context_keys(caller, permission, session)
                denial = self._decide(caller, permission, values, access_key)
        else:
            # It has ended since git presented it.
            denial = INVALID
        return None if denial is None else denial.message

    def _caller_of(self, access_key: str, session: store.Session) -> Caller:
        principal = principals.session(session.arn)
        return self.account(principal.account).caller(access_key) or principal

    def assume(self, role: ServiceRole) -> dict[str, str]:
        """Return credentials of a role for a service that the role trusts. Raises `ClientError`."""
        source = _source_keys(role.source_arn)
        # A trust policy that requires what the service does not send denies it (pitfall D10).
        sent = {key: source[key] for key in role.sent.value if key in source}
        denial = self._decide_on_service(role.service, Permission("sts:AssumeRole", role), sent)
        if denial is not None:
            error = {"Error": {"Code": "AccessDenied", "Message": denial.message}}
            raise ClientError(error, "AssumeRole")
        credentials = store.give_session(role, role.service.partition(".")[0])
        if role.service == "lambda.amazonaws.com":
            self._functions[credentials["AccessKeyId"]] = role.source_arn
        return credentials

    def denial_reason(self, principal: str, action: str, resource: str, source_arn: str = "") -> str | None:
        """Say why a service principal may not perform an action on a resource, or return None.

        `source_arn` is the resource for which it acts; some services (EventBridge, to an encrypted topic) do
        not send it.
        """
        denial = self._decide_on_service(principal, Permission(action, resource), _source_keys(source_arn))
        return None if denial is None else denial.message

    def _decide_on_service(
        self, principal: str, permission: Permission, sent: Mapping[str, Value]
    ) -> Denial | None:
        caller = principals.service(principal)
        return self._decide(caller, permission, {**self._context_keys(caller, permission), **sent}, "")

    def report(self) -> dict[str, Any]:
        """Return every statement with its uses, and every denial (GET /_local_aws/iam)."""
        self._log_policies()
        return self.log.report()

    def _log_policies(self) -> None:
        for number in store.accounts():
            for policy in self.account(number).all_policies():
                self.log.add_policy(policy)

    def _decide(
        self, caller: Caller, permission: Permission, values: Mapping[str, Value], access_key: str
    ) -> Denial | None:
        self._log_policies()
        number = caller.account or ACCOUNT
        action, resource = permission.action, permission.resource
        policies = self.account(number).policies(caller, action, resource, access_key)
        request = Request(caller, action, resource, _owner(resource, number), values)
        decision = _decide_on_role(request, policies)
        self.log.add(request, policies, decision)
        if decision.allowed:
            return None
        denial = denial_of(request, decision)
        logger.warning("denied: %s", denial.message)
        return denial

    def _context_keys(
        self, caller: Caller, permission: Permission, session: store.Session | None = None
    ) -> dict[str, Value]:
        """Return a request's context keys, in lower case."""
        resource_account = _owner(permission.resource, caller.account or ACCOUNT)
        keys = context_keys(caller, session, self.context.region, resource_account)
        return {**keys, **permission.values}


def _source_keys(source_arn: str) -> dict[str, Value]:
    if not source_arn:
        return {}
    account = source_arn.split(":")[4]
    return {"aws:sourcearn": source_arn, "aws:sourceaccount": account, "aws:sourceowner": account}


def _root_of(access_key: str) -> Caller:
    """Return the root user of an access key, which is its account's number."""
    return Caller(f"arn:aws:iam::{access_key}:root", access_key)


def _with_bucket_in_path(request: HttpRequest, service: str) -> tuple[str, HttpRequest]:
    """Return a virtual-hosted-style request to S3 as a path-style one, and its service."""
    bucket = s3.virtual_bucket(request.headers.get("host", ""))
    return ("s3", replace(request, path=f"/{bucket}{request.path}")) if bucket else (service, request)


def _decide_on_role(request: Request, policies: Policies) -> Decision:
    """Decide; a role that does not exist is denied like one that does not trust the caller."""
    if request.action.startswith("sts:AssumeRole") and policies.resource is None:
        return Decision(False, "because no resource-based policy allows the action", ())
    return decide(request, policies)


def _owner(resource: str, default: str) -> str:
    """Return the account of a resource; S3's ARNs have none, so it is looked up."""
    parts = resource.split(":")
    if resource.startswith("arn:aws:s3:::"):
        return account_scope.bucket_owner(parts[5].partition("/")[0])
    return parts[4] if len(parts) > 5 and parts[4] else default
