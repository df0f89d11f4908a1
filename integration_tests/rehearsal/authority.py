"""A certificate authority for one rehearsal, which issues a certificate for each name that a client wants."""

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

# What any name may have: https://www.rfc-editor.org/rfc/rfc5280#appendix-A
LONGEST_COMMON_NAME = 64


class Authority:
    """The authority, with its files in `folder`; clients trust the certificate in the file `trust`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trust = folder / "authority.pem"
        self._name = _name("Rehearsal")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.trust.write_bytes(self._certificate(self._name, self._key.public_key(), ""))

    def server_context(self) -> ssl.SSLContext:
        """Return what serves TLS with the name that the client asks for."""
        issue = cache(self._context)

        def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
            if name:
                connection.context = issue(name)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = choose
        return context

    def _context(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        subject = _name(host[:LONGEST_COMMON_NAME])
        path = self.folder / f"{host}.pem"
        path.touch(mode=0o600)
        path.write_bytes(private + self._certificate(subject, key.public_key(), host))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _certificate(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, host: str) -> bytes:
        """Return a certificate of `host`; without one, the authority's own."""
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
        )
        if host:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
