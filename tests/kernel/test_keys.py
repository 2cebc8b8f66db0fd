# SPDX-License-Identifier: Apache-2.0
"""Keys are made once, kept private, and issue certificates that TLS accepts."""

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kernel.errors import KeyStoreError
from kernel.keys import KeyStore


@pytest.fixture
def store(tmp_path, clock):
    return KeyStore(tmp_path / "keys", clock)


def request(key, name="whatever") -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_looking_for_signing_keys_makes_none(store, tmp_path):
    assert not store.has_signing_keys
    assert not (tmp_path / "keys").exists()
    store.evidence_key()
    assert not store.has_signing_keys
    store.log_key()
    assert store.has_signing_keys


def test_keys_stay_the_same_and_private(store, tmp_path, clock):
    again = KeyStore(tmp_path / "keys", clock)
    assert store.evidence_key().private_numbers() == again.evidence_key().private_numbers()
    assert store.job_key().private_bytes_raw() == again.job_key().private_bytes_raw()
    assert store.log_key().private_bytes_raw() != store.job_key().private_bytes_raw()
    assert store.vault_key() == again.vault_key()
    assert len(store.secret("session")) == 32
    assert store.secret("session") != store.secret("csrf")
    folder = tmp_path / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert not [file for file in folder.iterdir() if file.name.startswith(".")]


def test_racing_processes_agree(tmp_path):
    stores = [KeyStore(tmp_path / "keys") for _ in range(16)]
    with ThreadPoolExecutor(16) as threads:
        secrets = set(threads.map(lambda store: store.secret("vault"), stores))
    assert len(secrets) == 1


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a.b", "\0"])
def test_names_of_secrets_cannot_leave_the_folder(store, name):
    with pytest.raises(KeyStoreError):
        store.secret(name)


def test_a_damaged_key_is_an_error_not_a_new_key(store, tmp_path):
    store.evidence_key()
    (tmp_path / "keys" / "evidence.pem").write_bytes(b"junk")
    with pytest.raises(KeyStoreError):
        store.evidence_key()


def test_device_certificates_take_only_the_key_from_the_request(store, clock):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = store.sign_device_certificate(request(key, "admin"), "dev_1", clock.now(), days=7)
    certificate = x509.load_pem_x509_certificate(pem)
    authority, _ = store.device_authority()
    certificate.verify_directly_issued_by(authority)
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert name.value == "dev_1"
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert certificate.public_key() == key.public_key()
    assert (certificate.not_valid_after_utc - clock.now()).days == 7


def test_bad_requests_are_refused(store, clock):
    good = request(ec.generate_private_key(ec.SECP256R1()))
    weak = request(rsa.generate_private_key(65537, 2048))
    lines = good.decode().splitlines()
    middle = lines[2]
    lines[2] = middle[:10] + ("A" if middle[10] != "A" else "B") + middle[11:]
    for csr in (b"", b"junk", weak, "\n".join(lines).encode()):
        with pytest.raises(KeyStoreError):
            store.sign_device_certificate(csr, "dev_1", clock.now())


def test_server_certificate_is_kept_until_it_nears_its_end(store, clock):
    path, key_path = store.server_certificate(["127.0.0.1", "eucora.example"])
    first = path.read_bytes()
    certificate = x509.load_pem_x509_certificate(first)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert names.get_values_for_type(x509.DNSName) == ["eucora.example"]
    assert store.server_certificate(["eucora.example", "127.0.0.1"]) == (path, key_path)
    assert path.read_bytes() == first
    clock.advance(380 * 86_400)
    store.server_certificate(["127.0.0.1", "eucora.example"])
    assert path.read_bytes() != first


def test_the_published_authority_holds_no_key(store):
    content = store.authority_path().read_bytes()
    assert b"PRIVATE" not in content
    assert x509.load_pem_x509_certificate(content) == store.device_authority()[0]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_use_is_refused(store, tmp_path, mode):
    store.job_key()
    path = tmp_path / "keys" / "jobs.pem"
    path.chmod(mode)
    with pytest.raises(KeyStoreError, match="others may use"):
        store.job_key()
    path.chmod(0o600)
    store.job_key()
