# SPDX-License-Identifier: Apache-2.0
"""Who this device is and whom it trusts: keys and certificates in the state directory.

Certificate and private key stand together in `device.pem`. A renewed pair stands beside it in
`renewed.pem` until the server has accepted it, and takes its place in one atomic rename: at every
moment there is a pair that the server knows. `identity.json` is written last: where it exists,
enrolment is complete.
"""

import os
import ssl
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID
from msgspec import Struct

from agent.errors import EnrolmentError, NotEnrolledError
from contracts.telemetry import Identifier

IDENTITY_FILE = "identity.json"
CERTIFICATE_FILE = "device.pem"
RENEWED_FILE = "renewed.pem"
AUTHORITY_FILE = "ca.pem"
RENEW_AFTER = 2 / 3  # of the certificate's life


class Identity(Struct, frozen=True, kw_only=True):
    """What enrolment settled."""

    server: str
    device_id: Identifier
    job_public_key_pem: str
    log_public_key_pem: str
    log_origin: str
    interval_seconds: float = 60.0


def write_private(path: Path, content: bytes) -> None:
    """Replace a file atomically and durably; only its owner can read it."""
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _make_durable(path.parent)


def _make_durable(folder: Path) -> None:
    """Make a rename in a folder survive a power cut."""
    if os.name == "posix":
        directory = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def prepare_state_directory(state_dir: Path) -> None:
    """Create the state directory, readable by its owner only."""
    state_dir.mkdir(parents=True, exist_ok=True)
    state_dir.chmod(0o700)


def create_request(common_name: str) -> tuple[bytes, bytes]:
    """Make a P-256 key and a PKCS #10 request for it; return (key PEM, request PEM)."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64] or "device")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    request_pem = request.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    return key_pem, request_pem


def load_public_key(pem: str) -> Ed25519PublicKey:
    """Read an Ed25519 public key.

    Raises:
        EnrolmentError: the PEM holds something else.

    """
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise EnrolmentError("the server sent an unreadable public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise EnrolmentError("the server's public key is not an Ed25519 key")
    return key


def check_certificate(certificate_pem: bytes, key_pem: bytes, device_id: str) -> x509.Certificate:
    """Return a certificate if it is ours: our key, our name.

    Raises:
        EnrolmentError: it is not, or it cannot be read.

    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        key = serialization.load_pem_private_key(key_pem, password=None)
    except ValueError as error:
        raise EnrolmentError("the server sent an unreadable certificate") from error
    encoding, layout = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    certified = certificate.public_key().public_bytes(encoding, layout)
    if certified != key.public_key().public_bytes(encoding, layout):
        raise EnrolmentError("the certificate is for another key")
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if [name.value for name in names] != [device_id]:
        raise EnrolmentError("the certificate names another device")
    return certificate


def save_identity(
    state_dir: Path, identity: Identity, *, certificate_pem: bytes, key_pem: bytes, ca_pem: bytes
) -> None:
    """Store everything enrolment brought, `identity.json` last.

    Raises:
        EnrolmentError: a key or certificate is not what it must be.

    """
    load_public_key(identity.job_public_key_pem)
    load_public_key(identity.log_public_key_pem)
    check_certificate(certificate_pem, key_pem, identity.device_id)
    write_private(state_dir / AUTHORITY_FILE, ca_pem)
    (state_dir / RENEWED_FILE).unlink(missing_ok=True)
    _save_pair(state_dir / CERTIFICATE_FILE, certificate_pem, key_pem)
    write_private(state_dir / IDENTITY_FILE, msgspec.json.format(msgspec.json.encode(identity)))


def save_renewed(state_dir: Path, certificate_pem: bytes, key_pem: bytes) -> None:
    """Keep a renewed certificate with its key beside the present ones."""
    _save_pair(state_dir / RENEWED_FILE, certificate_pem, key_pem)


def has_renewed(state_dir: Path) -> bool:
    """Tell whether a renewed certificate waits to be tried."""
    return (state_dir / RENEWED_FILE).exists()


def take_up_renewed(state_dir: Path) -> None:
    """Put the renewed certificate and key in the place of the present ones."""
    (state_dir / RENEWED_FILE).replace(state_dir / CERTIFICATE_FILE)
    _make_durable(state_dir)


def drop_renewed(state_dir: Path) -> None:
    """Forget a renewed certificate that is of no use."""
    (state_dir / RENEWED_FILE).unlink(missing_ok=True)


def _save_pair(path: Path, certificate_pem: bytes, key_pem: bytes) -> None:
    write_private(path, certificate_pem.strip() + b"\n" + key_pem)


def load_identity(state_dir: Path) -> Identity:
    """Read the identity.

    Raises:
        NotEnrolledError: there is none, or it is damaged.

    """
    try:
        return msgspec.json.decode((state_dir / IDENTITY_FILE).read_bytes(), type=Identity)
    except (OSError, msgspec.MsgspecError) as error:
        raise NotEnrolledError(NotEnrolledError.__doc__) from error


def load_certificate(state_dir: Path) -> x509.Certificate:
    """Read the device certificate.

    Raises:
        NotEnrolledError: it is missing or damaged.

    """
    try:
        return x509.load_pem_x509_certificate((state_dir / CERTIFICATE_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise NotEnrolledError("the device certificate is missing or damaged") from error


def renewal_is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Tell whether two thirds of the certificate's life are over."""
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= start + timedelta(seconds=(end - start).total_seconds() * RENEW_AFTER)


def open_tls(state_dir: Path, certificate_file: str = CERTIFICATE_FILE) -> ssl.SSLContext:
    """Return a client context: our certificate, and no authority but our server's.

    Raises:
        NotEnrolledError: key or certificate cannot be loaded.

    """
    try:
        context = trust_authority(state_dir / AUTHORITY_FILE)
        context.load_cert_chain(state_dir / certificate_file)
    except OSError as error:
        raise NotEnrolledError("the device's keys are missing or damaged") from error
    return context


def trust_authority(authority: Path) -> ssl.SSLContext:
    """Return a client context that trusts one authority file and nothing else.

    Raises:
        OSError: the file cannot be read, or holds no certificate.

    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(authority)
    return context
