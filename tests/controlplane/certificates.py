"""A certificate authority of one test server: the server's certificate, client certificates, the service-account key.

kube-apiserver could sign its own serving certificate, but not client certificates, nor one that Python 3.13 accepts (its default
VERIFY_X509_STRICT wants key identifiers), nor the key for service accounts. So the wheel `cryptography` makes all of them, in
a few milliseconds, and needs no openssl on the machine.
"""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_SERVER_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
_SERVER_ADDRESSES = ("127.0.0.1", "::1", "10.0.0.1")


class Authority:
    """A certificate authority that lives in a directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gitops-guard test")])
        builder = self._builder(self._name, self._key.public_key(), days=2)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        certificate = builder.add_extension(_usage(signs=True), critical=True).sign(self._key, hashes.SHA256())
        self.certificate = directory / "ca.crt"
        """The authority's own certificate, PEM."""
        self.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def server(self) -> tuple[Path, Path]:
        """Make a serving certificate for loopback; return the files of certificate and key."""
        names = [x509.DNSName(name) for name in _SERVER_NAMES]
        addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in _SERVER_ADDRESSES]
        return self._issue("server", [], ExtendedKeyUsageOID.SERVER_AUTH, alternatives=[*names, *addresses])

    def client(self, user: str, groups: tuple[str, ...] = (), *, days: int = 1) -> tuple[Path, Path]:
        """Make a client certificate; return the files of certificate and key.

        Args:
            user: The user name that the API server will see.
            groups: The user's groups.
            days: Until it expires; a negative number makes one that has expired.
        """
        return self._issue(user, list(groups), ExtendedKeyUsageOID.CLIENT_AUTH, days=days)

    def signing_key(self, name: str) -> Path:
        """Make a private key without certificate, as for service-account tokens; return its file."""
        path = self._directory / f"{name}.key"
        _write_key(path, ec.generate_private_key(ec.SECP256R1()))
        return path

    def _issue(
        self,
        common_name: str,
        organizations: list[str],
        purpose: x509.ObjectIdentifier,
        *,
        alternatives: list[x509.GeneralName] | None = None,
        days: int = 1,
    ) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name) for name in organizations]
        subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        builder = self._builder(subject, key.public_key(), days=days)
        builder = builder.add_extension(_usage(signs=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        if alternatives:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        stem = self._directory / common_name.replace(":", "-")
        certificate, key_file = stem.with_suffix(".crt"), stem.with_suffix(".key")
        certificate.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        _write_key(key_file, key)
        return certificate, key_file

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, days: int) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            # a day of slack: the clocks of a container and its host may differ
            .not_valid_before(now - datetime.timedelta(days=max(1, 1 - days)))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )
