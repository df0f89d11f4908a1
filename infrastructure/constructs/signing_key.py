"""The KMS key that signs the images of an environment's Build action, and who may verify with it."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, RemovalPolicy, Tags
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infrastructure.config.account_options import PeerEnvironment
from infrastructure.constructs.roles import allow, allow_cross_account, arn
from infrastructure.naming import Names


class SigningKey(Construct):
    """The key, with the statements of the role that signs and of the roles that verify.

    `verifiers` are the roles of other environments, to which images of this one are promoted. Nobody but
    `signer` signs, not even an administrator: the key's policy denies it.
    """

    def __init__(
        self, scope: Construct, id_: str, *, names: Names, signer: str, verifiers: Sequence[str]
    ) -> None:
        super().__init__(scope, id_)
        self._names = names
        self._key = kms.Key(
            self,
            "Key",
            alias=f"alias/{names.signing_key}",
            description="Signs the images that Build pushes",
            key_spec=kms.KeySpec.ECC_NIST_P256,
            key_usage=kms.KeyUsage.SIGN_VERIFY,
            pending_window=Duration.days(7),
            removal_policy=RemovalPolicy.DESTROY,
        )
        # A key has no name property, and while its deletion is pending no alias either.
        Tags.of(self._key).add("Name", names.signing_key)
        # In a key policy, `*` is the key itself.
        self._key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OnlyBuildSigns",
                effect=iam.Effect.DENY,
                actions=["kms:Sign"],
                resources=["*"],
                principals=[iam.AnyPrincipal()],
                conditions={"ArnNotEquals": {"aws:PrincipalArn": signer}},
            )
        )
        if verifiers:
            self._key.add_to_resource_policy(
                allow_cross_account("OtherEnvironmentsVerify", ["kms:Verify"], verifiers, ["*"])
            )

    def sign_statement(self) -> iam.PolicyStatement:
        """Allow a role to sign, if it is the signer."""
        return allow("SignTheImage", ["kms:Sign"], [self._key.key_arn])

    def verify_statements(self, sources: Sequence[PeerEnvironment]) -> list[iam.PolicyStatement]:
        """Allow a role to verify with this key and with those of `sources`.

        A policy cannot name a key by its alias, so the alias is a condition, and the account a resource.
        https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
        """
        own = allow("VerifyTheSignature", ["kms:Verify"], [self._key.key_arn])
        if not sources:
            return [own]
        keys = sorted({arn(self, "kms", "key/*", account=each.account) for each in sources})
        aliases = sorted({f"alias/{Names(each.environment).signing_key}" for each in sources})
        condition = {"StringEquals": {"kms:RequestAlias": aliases}}
        return [own, allow("VerifySignaturesOfSources", ["kms:Verify"], keys, condition)]

    def trusted(self, sources: Sequence[PeerEnvironment]) -> list[str]:
        """Return the ARNs of the aliases of this key and of those of `sources`."""
        named = [arn(self, "kms", f"alias/{self._names.signing_key}")]
        for each in sources:
            alias = f"alias/{Names(each.environment).signing_key}"
            named.append(arn(self, "kms", alias, account=each.account))
        return named
