# SPDX-License-Identifier: Apache-2.0
"""How a device becomes known: a one-time token and a certificate request, for an identity.

The private key is made here and never leaves the device.
"""

import platform
import ssl
from pathlib import Path

from agent import __version__
from agent.client import DeviceClient, EnrolmentRequest
from agent.configuration import write_template
from agent.errors import ConfigurationError, EnrolmentError
from agent.hardware import read_text
from agent.identity import (
    IDENTITY_FILE,
    Identity,
    create_request,
    prepare_state_directory,
    save_identity,
    trust_authority,
)
from agent.journal import DATABASE_FILE
from agent.software import os_family, os_version

_DMI = Path("/sys/class/dmi/id")


async def enrol(*, server: str, token: str, authority: Path, state_dir: Path) -> Identity:
    """Enrol this device and store its identity.

    Args:
        server: base URL of the device API, https.
        token: the one-time enrolment token.
        authority: PEM file of the server's certificate authority.
        state_dir: where the identity will stand; created if missing.

    Raises:
        ConfigurationError: the server is not https or the authority file is unusable.
        EnrolmentError: the device is enrolled already, or the answer is not acceptable.
        ServerError: the server refused or could not be reached.

    """
    if not server.startswith("https://"):
        raise ConfigurationError("the server's address must begin with https://")
    prepare_state_directory(state_dir)
    if (state_dir / IDENTITY_FILE).exists():
        raise EnrolmentError("this state directory is enrolled already; remove it to start afresh")
    try:
        tls = trust_authority(authority)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"the authority file is unusable: {error}") from error
    hostname = platform.node()[:253] or "unknown"
    key_pem, csr_pem = create_request(hostname)
    request = EnrolmentRequest(
        token=token,
        csr_pem=csr_pem.decode(),
        hostname=hostname,
        os_family=os_family(),
        os_version=os_version(),
        model=read_text(_DMI / "product_name") or "",
        serial_number=read_text(_DMI / "product_serial") or "",
        agent_version=__version__,
    )
    async with DeviceClient(server, tls) as client:
        answer = await client.enrol(request)
    identity = Identity(
        server=server,
        device_id=answer.device_id,
        job_public_key_pem=answer.job_public_key_pem,
        log_public_key_pem=answer.log_public_key_pem,
        log_origin=answer.log_origin,
        interval_seconds=answer.interval_seconds,
    )
    _forget_former_identity(state_dir)
    save_identity(
        state_dir,
        identity,
        certificate_pem=answer.certificate_pem.encode(),
        key_pem=key_pem,
        ca_pem=answer.ca_pem.encode(),
    )
    write_template(state_dir)
    return identity


def _forget_former_identity(state_dir: Path) -> None:
    """A journal left by another identity speaks of another log and another sequence."""
    for suffix in ("", "-wal", "-shm"):
        (state_dir / f"{DATABASE_FILE}{suffix}").unlink(missing_ok=True)
