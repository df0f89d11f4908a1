"""The TLS of HTTPS listeners: the certificate, and the security policy's oldest version of TLS."""

import re
import ssl
import tempfile
from pathlib import Path

from local_aws.core.api import AwsError
from local_aws.services.elbv2.errors import unsupported
from local_aws.services.elbv2.records import Tls

# The policies that current OpenSSL can enforce: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
_POLICY = re.compile(r"ELBSecurityPolicy-TLS13-1-([23])(-(Res|Ext[12]))?(-PQ)?-20[0-9]{2}-[0-9]{2}")
_OF_AWS = "ELBSecurityPolicy-"
_OLDEST = {"2": ssl.TLSVersion.TLSv1_2, "3": ssl.TLSVersion.TLSv1_3}


def check_policy(policy: str) -> None:
    """Reject a name that no security policy of AWS's has."""
    if not policy.startswith(_OF_AWS):
        raise AwsError("SSLPolicyNotFound", f"SSL policy '{policy}' not found")


def oldest(policy: str) -> ssl.TLSVersion:
    """Return the oldest version of TLS in a security policy; refuse policies that are not implemented."""
    found = _POLICY.fullmatch(policy)
    if found is None:
        raise unsupported(
            f"the security policy {policy} (only those of TLS 1.3 with TLS 1.2 or nothing older)"
        )
    return _OLDEST[found[1]]


def check(arn: str, tls: Tls) -> None:
    """Refuse a certificate and key that a listener cannot serve."""
    try:
        server_context(tls)
    except (ssl.SSLError, ValueError) as error:
        raise AwsError(
            "UnsupportedCertificate", f"The certificate '{arn}' is not supported: {error}"
        ) from None


def server_context(tls: Tls) -> ssl.SSLContext:
    """Return a server's TLS context: with the policy's versions of TLS, and OpenSSL's default ciphers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = oldest(tls.policy)
    # OpenSSL reads files only. The key is on disk only while it does.
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder) / "certificate.pem"
        pem.touch(mode=0o600)
        pem.write_text(f"{tls.certificate}\n{tls.key}\n")
        context.load_cert_chain(pem)
    return context
