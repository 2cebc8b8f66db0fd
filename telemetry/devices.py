# SPDX-License-Identifier: Apache-2.0
"""The inventory of devices.

A device exists from its registration on; reports of unknown devices are refused. Host names and
serial numbers stand here unmasked, since this is where they belong; no model reads them.
"""

from dataclasses import dataclass
from datetime import datetime

from kernel.audit import AuditIntake
from kernel.database import Connection
from kernel.queries import load_queries
from telemetry.errors import DeviceExistsError, UnknownDeviceError

QUERIES = load_queries(__file__, "devices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """One endpoint of the fleet."""

    device_id: str
    hostname: str
    os_family: str  # windows, macos or linux
    os_version: str
    model: str
    serial_number: str
    department: str
    role: str
    business_critical: bool
    simulated: bool
    agent_version: str
    status: str  # active or retired
    certificate_sha256: str | None
    pending_certificate_sha256: str | None  # renewed, and not used yet
    enrolled_at: datetime
    last_seen_at: datetime | None


async def register_device(
    connection: Connection,
    *,
    audit: AuditIntake,
    actor: str,
    correlation_id: str,
    device_id: str,
    hostname: str,
    os_family: str,
    enrolled_at: datetime,
    os_version: str = "",
    model: str = "",
    serial_number: str = "",
    department: str = "",
    role: str = "workstation",
    business_critical: bool = False,
    simulated: bool = False,
    agent_version: str = "",
    certificate_sha256: str | None = None,
) -> Device:
    """Add a device to the inventory, with its audit event.

    Raises:
        DeviceExistsError: the id is taken.
    """
    cursor = await connection.execute(
        QUERIES["insert_device"],
        {
            "device_id": device_id,
            "hostname": hostname,
            "os_family": os_family,
            "os_version": os_version,
            "model": model,
            "serial_number": serial_number,
            "department": department,
            "role": role,
            "business_critical": business_critical,
            "simulated": simulated,
            "agent_version": agent_version,
            "certificate_sha256": certificate_sha256,
            "enrolled_at": enrolled_at,
        },
    )
    row = await cursor.fetchone()
    if row is None:
        raise DeviceExistsError(device_id)
    await audit.record(
        connection,
        actor=actor,
        action="device.registered",
        subject_kind="device",
        subject_id=device_id,
        device_id=device_id,
        correlation_id=correlation_id,
        after={"os_family": os_family, "simulated": simulated, "certificate": certificate_sha256},
    )
    return Device(**row)


async def find_device(connection: Connection, device_id: str) -> Device | None:
    """Return a device, or None."""
    cursor = await connection.execute(QUERIES["find_device"], {"device_id": device_id})
    row = await cursor.fetchone()
    return Device(**row) if row else None


async def list_devices(
    connection: Connection,
    *,
    status: str | None = None,
    os_family: str | None = None,
    simulated: bool | None = None,
    after: str = "",
    limit: int = 100,
) -> list[Device]:
    """Return a page of devices ordered by id; `after` is the last id of the page before."""
    cursor = await connection.execute(
        QUERIES["list_devices"],
        {
            "status": status,
            "os_family": os_family,
            "simulated": simulated,
            "after": after,
            "limit": limit,
        },
    )
    return [Device(**row) for row in await cursor.fetchall()]


async def count_simulated(connection: Connection, prefix: str) -> int:
    """Return how many simulated devices there are whose ids begin with `prefix`."""
    cursor = await connection.execute(QUERIES["count_simulated"], {"prefix": prefix})
    row = await cursor.fetchone()
    return int(row["n_devices"]) if row else 0


async def set_certificate(
    connection: Connection,
    *,
    audit: AuditIntake,
    actor: str,
    correlation_id: str,
    device_id: str,
    certificate_sha256: str,
    pending: bool = False,
) -> None:
    """Bind a device to one certificate (SHA-256 of its DER form, hex).

    A `pending` one, of a renewal, is accepted beside the current one until it is used: the device
    may never get the answer that carries it.

    Raises:
        UnknownDeviceError: there is no such device.
    """
    cursor = await connection.execute(
        QUERIES["update_pending_certificate" if pending else "update_certificate"],
        {"device_id": device_id, "certificate_sha256": certificate_sha256},
    )
    if await cursor.fetchone() is None:
        raise UnknownDeviceError(device_id)
    await audit.record(
        connection,
        actor=actor,
        action="device.certificate_issued",
        subject_kind="device",
        subject_id=device_id,
        device_id=device_id,
        correlation_id=correlation_id,
        after={"pending_certificate" if pending else "certificate": certificate_sha256},
    )


async def promote_certificate(
    connection: Connection,
    *,
    audit: AuditIntake,
    correlation_id: str,
    device: Device,
    certificate_sha256: str,
) -> bool:
    """Make a pending certificate that was just used the only one; False if it is not pending."""
    cursor = await connection.execute(
        QUERIES["promote_certificate"],
        {"device_id": device.device_id, "certificate_sha256": certificate_sha256},
    )
    if await cursor.fetchone() is None:
        return False
    await audit.record(
        connection,
        actor=f"device:{device.device_id}",
        action="device.certificate_replaced",
        subject_kind="device",
        subject_id=device.device_id,
        device_id=device.device_id,
        correlation_id=correlation_id,
        before={"certificate": device.certificate_sha256},
        after={"certificate": certificate_sha256},
    )
    return True


async def retire_device(
    connection: Connection,
    *,
    audit: AuditIntake,
    actor: str,
    correlation_id: str,
    device_id: str,
) -> None:
    """Shut a device out.

    Raises:
        UnknownDeviceError: there is no such active device.
    """
    cursor = await connection.execute(QUERIES["retire_device"], {"device_id": device_id})
    if await cursor.fetchone() is None:
        raise UnknownDeviceError(device_id)
    await audit.record(
        connection,
        actor=actor,
        action="device.retired",
        subject_kind="device",
        subject_id=device_id,
        device_id=device_id,
        correlation_id=correlation_id,
        before={"status": "active"},
        after={"status": "retired"},
    )
