# SPDX-License-Identifier: Apache-2.0
"""A device API on loopback over real mutual TLS, for tests of the agent alone.

Speaks the same routes as api/; the end-to-end tests run the agent against the real one.
"""

import base64
import gzip
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from contracts.canonical import sha256_hex
from contracts.job import Receipt
from contracts.telemetry import TelemetryReport
from tests.fakes.job_issuer import ORIGIN, JobIssuer, consistency_path

TOKEN = "one-time-token"

LEASE_SECONDS = 1.5
POLL_SECONDS = 0.5
OPEN_PATHS = ("/device/v1/enrol", "/device/v1/time")


@dataclass
class _Offer:
    envelope: bytes
    digest: str
    n_before: int
    leased_until: float = 0.0


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Authority:
    """Issues the server's and the device's certificates."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.issue("test authority", self.key.public_key(), is_authority=True)

    def issue(
        self,
        name: str,
        key: Any,
        *,
        is_authority: bool = False,
        age_seconds: float = 1,
        lifetime_seconds: float = 86400,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name("test authority"))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(seconds=age_seconds))
            .not_valid_after(now + timedelta(seconds=lifetime_seconds))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(
                x509.SubjectAlternativeName(addresses), critical=False
            ).add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


class DeviceServer:
    """What the server would know and do, in memory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.issuer = JobIssuer()
        self.authority = Authority()
        self.ca_file = directory / "authority.pem"
        self.ca_file.write_bytes(self.authority.pem())
        self.reports: dict[str, TelemetryReport] = {}
        self.receipts: list[Receipt] = []
        self.n_duplicates = 0
        self.n_renewals = 0
        self.certificate_age_seconds = 1.0
        self.clock_shift = timedelta()
        self.failing: set[str] = set()  # paths answered with 503
        self.rejecting: set[str] = set()  # paths answered with 422
        self.losing: set[str] = set()  # paths whose answer is lost after all was done
        self.certificate_sha256 = ""
        self.pending_certificate_sha256 = ""
        self.correlations: list[tuple[str, str]] = []
        self._offers: list[_Offer] = []
        self._changed = threading.Condition()
        self._http: ThreadingHTTPServer | None = None
        self.port = 0

    def start(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.authority.issue("server", key.public_key())
        chain = self.directory / "server.pem"
        chain.write_bytes(
            certificate.public_bytes(Encoding.PEM)
            + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        context.load_verify_locations(self.ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL  # enrolment comes without a certificate
        owner = self

        class Handler(_Handler):
            server_state = owner

        self._http = _Server(("127.0.0.1", self.port), Handler)
        self._http.tls = context
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def offer(self, envelope: bytes) -> str:
        """Lease an envelope again and again until one more receipt names it; return its digest."""
        digest = sha256_hex(envelope)
        with self._changed:
            self._offers.append(_Offer(envelope, digest, self._count_receipts(digest)))
            self._changed.notify_all()
        return digest

    def _count_receipts(self, digest: str) -> int:
        return sum(receipt.envelope_sha256 == digest for receipt in self.receipts)

    def _lease(self) -> list[bytes]:
        now = time.monotonic()
        self._offers = [
            offer for offer in self._offers if self._count_receipts(offer.digest) <= offer.n_before
        ]
        due = [offer for offer in self._offers if offer.leased_until <= now]
        for offer in due:
            offer.leased_until = now + LEASE_SECONDS
        return [offer.envelope for offer in due]

    def wait_for(self, condition: Callable[[], Any], timeout_seconds: float = 20) -> Any:
        """Return the condition's value as soon as it is true."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while not (value := condition()):
                if time.monotonic() > deadline:
                    raise TimeoutError
                self._changed.wait(0.05)
            return value

    def receipt_for(self, envelope_sha256: str) -> Receipt | None:
        found = [entry for entry in self.receipts if entry.envelope_sha256 == envelope_sha256]
        return found[0] if found else None

    def answer(self, method: str, path: str, query: dict[str, str], body: bytes) -> Any:
        """Return the JSON answer of one request."""
        with self._changed:
            handler = getattr(self, f"_{method.lower()}{path.replace('/', '_')}", None)
            if handler is None:
                return None
            answer = handler(query, body)
            self._changed.notify_all()
            return answer

    def knows(self, certificate: bytes | None) -> bool:
        """Tell whether a certificate (DER) counts; using the pending one ends the current one."""
        digest = sha256_hex(certificate or b"")
        with self._changed:
            if digest == self.pending_certificate_sha256:
                self.certificate_sha256, self.pending_certificate_sha256 = digest, ""
            return digest == self.certificate_sha256

    def _certify(self, csr_pem: str) -> tuple[str, str]:
        """Return a certificate (PEM) and its fingerprint."""
        request = x509.load_pem_x509_csr(csr_pem.encode())
        assert request.is_signature_valid
        certificate = self.authority.issue(
            self.issuer.device_id,
            request.public_key(),
            age_seconds=self.certificate_age_seconds,
        )
        fingerprint = sha256_hex(certificate.public_bytes(Encoding.DER))
        return certificate.public_bytes(Encoding.PEM).decode(), fingerprint

    def _post_device_v1_enrol(self, _query: dict[str, str], body: bytes) -> Any:
        request = json.loads(body)
        if request["token"] != TOKEN:
            return None
        certificate, self.certificate_sha256 = self._certify(request["csr_pem"])

        def pem(key: Any) -> str:
            public = key.public_key()
            return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

        return {
            "device_id": self.issuer.device_id,
            "certificate_pem": certificate,
            "ca_pem": self.authority.pem().decode(),
            "job_public_key_pem": pem(self.issuer.job_key),
            "log_public_key_pem": pem(self.issuer.log_key),
            "log_origin": ORIGIN,
            "interval_seconds": 60,
        }

    def _post_v1_telemetry(self, _query: dict[str, str], body: bytes) -> Any:
        reports = msgspec.json.decode(gzip.decompress(body), type=list[TelemetryReport])
        known = [report.report_id for report in reports if report.report_id in self.reports]
        new = [report.report_id for report in reports if report.report_id not in self.reports]
        self.reports |= {report.report_id: report for report in reports}
        return {"accepted": new, "duplicates": known, "rejected": []}

    def _get_device_v1_jobs(self, query: dict[str, str], _body: bytes) -> Any:
        leased = self._lease()
        if not leased:
            self._changed.wait(min(float(query["wait"]), POLL_SECONDS))
            leased = self._lease()
        return {"envelopes": [base64.b64encode(envelope).decode() for envelope in leased]}

    def _post_device_v1_receipts(self, _query: dict[str, str], body: bytes) -> Any:
        receipt = msgspec.json.decode(body, type=Receipt)
        if receipt in self.receipts:
            self.n_duplicates += 1
            return {"recorded": False}
        self.receipts.append(receipt)
        return {"recorded": True}

    def _get_device_v1_consistency(self, query: dict[str, str], _body: bytes) -> Any:
        entries = self.issuer.entries[: int(query["second"])]
        proof = consistency_path(int(query["first"]), entries)
        return {"hashes": [value.hex() for value in proof]}

    def _post_device_v1_certificate(self, _query: dict[str, str], body: bytes) -> Any:
        self.n_renewals += 1
        certificate, self.pending_certificate_sha256 = self._certify(json.loads(body)["csr_pem"])
        return {"certificate_pem": certificate}

    def _get_device_v1_time(self, _query: dict[str, str], _body: bytes) -> Any:
        return {"now": (datetime.now(UTC) + self.clock_shift).isoformat()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the connection's own thread: a silent client blocks nobody."""
        try:
            with self.tls.wrap_socket(request, server_side=True) as connection:
                super().finish_request(connection, client_address)
        except (ssl.SSLError, OSError):
            return


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_state: DeviceServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        state = self.server_state
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        state.correlations.append((parts.path, self.headers.get("X-Correlation-Id", "")))
        if parts.path in state.failing:
            self._reply(503, {"title": "down"})
        elif parts.path in state.rejecting:
            self._reply(422, {"title": "no"})
        elif parts.path not in OPEN_PATHS and not state.knows(self._certificate()):
            self._reply(401, {"title": "certificate required"})
        else:
            answer = state.answer(self.command, parts.path, query, body)
            if parts.path in state.losing:
                self.close_connection = True
                return
            self._reply(200 if answer is not None else 403, answer or {"title": "refused"})

    def _certificate(self) -> bytes | None:
        return self.connection.getpeercert(binary_form=True)  # type: ignore[attr-defined]

    def _reply(self, status: int, document: Any) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
