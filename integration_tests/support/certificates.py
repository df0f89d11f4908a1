"""A self-signed certificate in ACM, for an environment that serves HTTPS."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from botocore.exceptions import ClientError

from harness.cloud import Cloud, HarnessError
from operations.waiting import NotYetError, wait_for

# The names of a load balancer on local_aws and on AWS.
NAMES = "IP:127.0.0.1,DNS:*.us-east-1.elb.amazonaws.com"


@contextmanager
def certificate(cloud: Cloud, folder: Path) -> Iterator[tuple[str, str]]:
    """Import a self-signed certificate; yield its ARN and the file with which to trust it."""
    openssl = shutil.which("openssl")
    if openssl is None:
        raise HarnessError("openssl is not installed: install the package openssl")
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
    imported = acm.import_certificate(Certificate=trust.read_bytes(), PrivateKey=key.read_bytes())
    key.unlink()
    arn = str(imported["CertificateArn"])
    try:
        yield arn, str(trust)
    finally:

        def delete() -> None:
            try:
                acm.delete_certificate(CertificateArn=arn)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceInUseException":
                    raise
                raise NotYetError("its load balancer still uses it") from error

        wait_for("deletion of the certificate", delete, deadline=cloud.minutes(10, own=0.5), interval=1)
