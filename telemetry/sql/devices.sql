-- SPDX-License-Identifier: Apache-2.0
-- name: insert_device
-- Register a device; no row comes back when it exists.
INSERT INTO devices (
    device_id, hostname, os_family, os_version, model, serial_number, department, role,
    business_critical, simulated, agent_version, certificate_sha256, enrolled_at
) VALUES (
    %(device_id)s, %(hostname)s, %(os_family)s, %(os_version)s, %(model)s, %(serial_number)s,
    %(department)s, %(role)s, %(business_critical)s, %(simulated)s, %(agent_version)s,
    %(certificate_sha256)s, %(enrolled_at)s
)
ON CONFLICT (device_id) DO NOTHING
RETURNING device_id, hostname, os_family, os_version, model, serial_number, department, role,
    business_critical, simulated, agent_version, status, certificate_sha256,
    pending_certificate_sha256, enrolled_at, last_seen_at;

-- name: find_device
-- One device by its id.
SELECT device_id, hostname, os_family, os_version, model, serial_number, department, role,
    business_critical, simulated, agent_version, status, certificate_sha256,
    pending_certificate_sha256, enrolled_at, last_seen_at
FROM devices
WHERE device_id = %(device_id)s;

-- name: list_devices
-- A page of devices in the order of their ids, optionally of one status or OS family.
SELECT device_id, hostname, os_family, os_version, model, serial_number, department, role,
    business_critical, simulated, agent_version, status, certificate_sha256,
    pending_certificate_sha256, enrolled_at, last_seen_at
FROM devices
WHERE device_id > %(after)s
  AND (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(os_family)s::text IS NULL OR os_family = %(os_family)s)
  AND (%(simulated)s::boolean IS NULL OR simulated = %(simulated)s)
ORDER BY device_id
LIMIT %(limit)s;

-- name: update_certificate
-- Bind a device to one certificate and to no other.
UPDATE devices SET certificate_sha256 = %(certificate_sha256)s, pending_certificate_sha256 = NULL
WHERE device_id = %(device_id)s
RETURNING device_id;

-- name: update_pending_certificate
-- Accept a further certificate beside the current one; an earlier unused one is forgotten.
UPDATE devices SET pending_certificate_sha256 = %(certificate_sha256)s
WHERE device_id = %(device_id)s
RETURNING device_id;

-- name: promote_certificate
-- Make the pending certificate the current one; no row comes back when it is not pending (any more).
UPDATE devices SET certificate_sha256 = %(certificate_sha256)s, pending_certificate_sha256 = NULL
WHERE device_id = %(device_id)s AND pending_certificate_sha256 = %(certificate_sha256)s
RETURNING device_id;

-- name: retire_device
-- A retired device may neither report nor fetch jobs.
UPDATE devices SET status = 'retired'
WHERE device_id = %(device_id)s AND status = 'active'
RETURNING device_id;

-- name: count_simulated
-- How many simulated devices there are whose ids begin so.
SELECT count(*) AS n_devices
FROM devices
WHERE simulated AND starts_with(device_id, %(prefix)s);
