# SPDX-License-Identifier: Apache-2.0
"""The keys of one installation: files of mode 0600 in a folder of mode 0700.

Each is made once, atomically (written aside, synced, then linked to its name), so that two
processes that start together agree, and a crash leaves either the whole key or none. What is
signed with them is other rooms' business.
"""

import ipaddress
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contracts.canonical import sha256_hex
from kernel.clock import Clock, SystemClock
from kernel.errors import KeyStoreError

SECRET_BYTES = 32
AUTHORITY_DAYS = 3650
SERVER_DAYS = 397
RENEW_BEFORE_DAYS = 30
CLOCK_TOLERANCE = timedelta(minutes=5)
PrivateKey = ec.EllipticCurvePrivateKey | Ed25519PrivateKey


class KeyStore:
    """Hands out the installation's keys, and makes them on first use."""

    def __init__(self, directory: Path, clock: Clock | None = None) -> None:
        self._directory = directory
        self._clock: Clock = clock or SystemClock()

    @property
    def has_signing_keys(self) -> bool:
        """Whether the keys of evidence and log have been made; looking makes none."""
        return all((self._directory / name).is_file() for name in ("evidence.pem", "log.pem"))

    def evidence_key(self) -> ec.EllipticCurvePrivateKey:
        """Return the P-256 key that signs evidence statements."""
        return _expect_ec(_load_key(self._obtain("evidence.pem", _new_p256)))

    def job_key(self) -> Ed25519PrivateKey:
        """Return the Ed25519 key that signs jobs for devices."""
        return _expect_ed25519(_load_key(self._obtain("jobs.pem", _new_ed25519)))

    def log_key(self) -> Ed25519PrivateKey:
        """Return the Ed25519 key that signs checkpoints of the audit log."""
        return _expect_ed25519(_load_key(self._obtain("log.pem", _new_ed25519)))

    def vault_key(self) -> bytes:
        """Return the 32 bytes that wrap the keys of the vault of masked originals."""
        return self.secret("vault")

    def secret(self, name: str) -> bytes:
        """Return 32 random bytes that belong to a name of letters, digits, `-` and `_`.

        Raises:
            KeyStoreError: the name is not usable as a file name.
        """
        if not name or not name.replace("-", "").replace("_", "").isalnum():
            raise KeyStoreError(f"not a name of a secret: {name!r}")
        content = self._obtain(f"{name}.secret", lambda: secrets.token_bytes(SECRET_BYTES))
        if len(content) != SECRET_BYTES:
            raise KeyStoreError(f"the secret {name} has {len(content)} bytes, not {SECRET_BYTES}")
        return content

    def device_authority(self) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        """Return the certificate authority of this installation's devices, and its key."""
        content = self._obtain("device-authority.pem", self._new_authority)
        return _load_certificate(content), _expect_ec(_load_key(content))

    def authority_path(self) -> Path:
        """Return the path of the authority's certificate alone, for clients to trust."""
        certificate, _ = self.device_authority()
        content = certificate.public_bytes(serialization.Encoding.PEM)
        self._obtain("device-authority.crt", lambda: content)
        return self._directory / "device-authority.crt"

    def server_certificate(self, hosts: Sequence[str]) -> tuple[Path, Path]:
        """Return the paths of a certificate for these host names or addresses, and of its key.

        Both stand in one file, so that they can never be of two generations. It is replaced
        when it nears its end.
        """
        name = f"server-{sha256_hex(chr(0).join(sorted(hosts)).encode())[:16]}.pem"
        path = self._directory / name
        content = self._obtain(name, lambda: self._new_server(hosts))
        end = _load_certificate(content).not_valid_after_utc
        if end - self._clock.now() < timedelta(days=RENEW_BEFORE_DAYS):
            self._write(path, self._new_server(hosts), replace=True)
        return path, path

    def sign_device_certificate(
        self, csr_pem: bytes, device_id: str, now: datetime, days: int = 30
    ) -> bytes:
        """Return a client certificate (PEM) for the key of a request; its subject is ours.

        Nothing but the public key is taken from the request.

        Raises:
            KeyStoreError: the request is malformed, not signed by its key, or its key is weak.
        """
        authority, authority_key = self.device_authority()
        builder = (
            _builder(device_id, authority.subject, _read_request(csr_pem), now, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(_authority_identifier(authority), critical=False)
        )
        certificate = builder.sign(authority_key, hashes.SHA256())
        return certificate.public_bytes(serialization.Encoding.PEM)

    def _new_authority(self) -> bytes:
        key = ec.generate_private_key(ec.SECP256R1())
        common_name = f"EUCORA device authority {secrets.token_hex(4)}"
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        now = self._clock.now()
        subject_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        builder = (
            _builder(common_name, name, key.public_key(), now, AUTHORITY_DAYS)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_signing_usage(), critical=True)
            .add_extension(subject_key, critical=False)
        )
        return _pem_of(builder.sign(key, hashes.SHA256()), key)

    def _new_server(self, hosts: Sequence[str]) -> bytes:
        authority, authority_key = self.device_authority()
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        builder = (
            _builder(
                "EUCORA server", authority.subject, key.public_key(), self._clock.now(), SERVER_DAYS
            )
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(names, critical=False)
            .add_extension(_authority_identifier(authority), critical=False)
        )
        return _pem_of(builder.sign(authority_key, hashes.SHA256()), key)

    def _obtain(self, name: str, make: Callable[[], bytes]) -> bytes:
        path = self._directory / name
        try:
            return _read_private(path)
        except FileNotFoundError:
            self._write(path, make(), replace=False)
            return _read_private(path)
        except OSError as error:
            raise KeyStoreError(f"cannot read {path}: {error.strerror}") from error

    def _write(self, path: Path, content: bytes, *, replace: bool) -> None:
        """Put a file in place in one step; without `replace`, one that exists wins."""
        aside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._directory.chmod(0o700)
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            _place(aside, path, replace=replace)
            folder = os.open(self._directory, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise KeyStoreError(f"cannot write {path.name}") from error
        finally:
            aside.unlink(missing_ok=True)


def _read_private(path: Path) -> bytes:
    """Read a file that nobody else may read.

    Raises:
        KeyStoreError: others may; whoever read a key can sign with it.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if os.name == "posix" and (mode := os.fstat(file.fileno()).st_mode & 0o077):
            raise KeyStoreError(
                f"others may use {path} (mode bits {mode:03o}): find out who has read it,"
                " then chmod 600"
            )
        return file.read()


def _place(aside: Path, path: Path, *, replace: bool) -> None:
    if replace:
        aside.replace(path)
        return
    try:
        os.link(aside, path)
    except FileExistsError:
        return


def _new_p256() -> bytes:
    return _private_pem(ec.generate_private_key(ec.SECP256R1()))


def _new_ed25519() -> bytes:
    return _private_pem(Ed25519PrivateKey.generate())


def _private_pem(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _pem_of(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> bytes:
    return _private_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def _load_key(content: bytes) -> object:
    try:
        return serialization.load_pem_private_key(content, password=None)
    except (ValueError, TypeError) as error:
        raise KeyStoreError("a stored key is damaged") from error


def _load_certificate(content: bytes) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(content)
    except ValueError as error:
        raise KeyStoreError("a stored certificate is damaged") from error


def _expect_ec(key: object) -> ec.EllipticCurvePrivateKey:
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyStoreError("a stored key is not an elliptic curve key")
    return key


def _expect_ed25519(key: object) -> Ed25519PrivateKey:
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyStoreError("a stored key is not an Ed25519 key")
    return key


def _read_request(csr_pem: bytes) -> ec.EllipticCurvePublicKey:
    try:
        request = x509.load_pem_x509_csr(csr_pem)
        signed = request.is_signature_valid
        public_key = request.public_key()
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise KeyStoreError("the certificate request is malformed") from error
    if not signed:
        raise KeyStoreError("the certificate request is not signed by its key")
    if not isinstance(public_key, ec.EllipticCurvePublicKey) or public_key.curve.key_size < 256:
        raise KeyStoreError("a device key must be an elliptic curve key of at least 256 bits")
    return public_key


def _builder(
    common_name: str,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_TOLERANCE)
        .not_valid_after(now + timedelta(days=days))
    )


def _authority_identifier(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _signing_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
