"""A certificate for an environment of a scenario: made here, imported into ACM, and deleted in the end."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from harness.cloud import Cloud, HarnessError
from operations.waiting import NotYetError, wait_for

# Where a load balancer answers: on this machine, and on AWS under a name that AWS gives it.
NAMES = "IP:127.0.0.1,DNS:*.us-east-1.elb.amazonaws.com"


@contextmanager
def certificate(cloud: Cloud, folder: Path) -> Iterator[tuple[str, str]]:
    """Import a certificate that nobody else trusts; give its ARN and the file to trust it by."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise HarnessError("openssl is not installed: a package named openssl has it on every system")
    folder.mkdir(parents=True, exist_ok=True)
    trust, key = folder / "certificate.pem", folder / "key.pem"
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=scenario",
    ]
    command += ["-addext", f"subjectAltName={NAMES}", "-keyout", str(key), "-out", str(trust)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own arguments
    acm = cloud.client("acm")
    given = acm.import_certificate(Certificate=trust.read_bytes(), PrivateKey=key.read_bytes())
    key.unlink()
    arn = str(given["CertificateArn"])
    try:
        yield arn, str(trust)
    finally:

        def delete() -> None:
            try:
                acm.delete_certificate(CertificateArn=arn)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceInUseException":
                    raise
                raise NotYetError("its load balancer still holds it") from error

        wait_for("deletion of the certificate", delete, deadline=cloud.minutes(10, own=0.5), interval=1)
