-- SPDX-License-Identifier: Apache-2.0
-- name: durable
-- What we acknowledge is on disk, whatever the server's default.
SET LOCAL synchronous_commit TO on;

-- name: ensure_partition
-- The partition of one day, made if there is none.
SELECT ensure_telemetry_partition(%(day)s);

-- name: lock_devices
-- Which of these devices are known; locked in one order, so that batches cannot deadlock.
SELECT device_id, status FROM devices
WHERE device_id = ANY(%(device_ids)s)
ORDER BY device_id
FOR NO KEY UPDATE;

-- name: insert_reports
-- Store reports; known ones do not come back. Binary parameters spare the quoting of JSON.
INSERT INTO telemetry_reports (
    report_id, device_id, user_id, observed_at, received_at, metrics, facts
)
SELECT report_id, device_id, user_id, observed_at, %(received_at)s, metrics::jsonb, facts::jsonb
FROM unnest(
    %(report_ids)s::text[], %(device_ids)s::text[], %(user_ids)s::text[],
    %(observed)s::timestamptz[], %(metrics)b::text[], %(facts)b::text[]
) AS given (report_id, device_id, user_id, observed_at, metrics, facts)
ORDER BY observed_at, report_id
ON CONFLICT (observed_at, report_id) DO NOTHING
RETURNING observed_at, report_id;

-- name: touch_devices
-- What the newest report says of the device itself; a late report changes nothing.
UPDATE devices AS device
SET last_seen_at = given.observed_at,
    hostname = COALESCE(NULLIF(given.hostname, ''), device.hostname),
    os_version = COALESCE(NULLIF(given.os_version, ''), device.os_version),
    model = COALESCE(NULLIF(given.model, ''), device.model),
    serial_number = COALESCE(NULLIF(given.serial_number, ''), device.serial_number),
    agent_version = given.agent_version
FROM unnest(
    %(device_ids)s::text[], %(observed)s::timestamptz[], %(hostnames)s::text[],
    %(os_versions)s::text[], %(models)s::text[], %(serial_numbers)s::text[],
    %(agent_versions)s::text[]
) AS given (
    device_id, observed_at, hostname, os_version, model, serial_number, agent_version
)
WHERE device.device_id = given.device_id
  AND (device.last_seen_at IS NULL OR device.last_seen_at < given.observed_at);

-- name: insert_users
-- People who were seen for the first time.
INSERT INTO users (user_id)
SELECT user_id FROM unnest(%(user_ids)s::text[]) AS given (user_id)
ORDER BY user_id
ON CONFLICT (user_id) DO NOTHING;

-- name: lock_users
-- One batch at a time may change the devices of a person.
SELECT user_id FROM users WHERE user_id = ANY(%(user_ids)s) ORDER BY user_id FOR NO KEY UPDATE;

-- name: map_users
-- Who uses which device, and since when.
INSERT INTO device_user_map (device_id, user_id, first_seen_at, last_seen_at)
SELECT device_id, user_id, observed_at, observed_at
FROM unnest(%(device_ids)s::text[], %(user_ids)s::text[], %(observed)s::timestamptz[])
    AS given (device_id, user_id, observed_at)
ORDER BY user_id, device_id
ON CONFLICT (device_id, user_id) DO UPDATE
SET last_seen_at = GREATEST(device_user_map.last_seen_at, EXCLUDED.last_seen_at);

-- name: limit_map
-- Keep the devices a person used last, at most so many.
DELETE FROM device_user_map AS mapped
USING (
    SELECT device_id, user_id,
        row_number() OVER (PARTITION BY user_id ORDER BY last_seen_at DESC, device_id) AS rank
    FROM device_user_map
    WHERE user_id = ANY(%(user_ids)s)
) AS ranked
WHERE mapped.device_id = ranked.device_id
  AND mapped.user_id = ranked.user_id
  AND ranked.rank > %(max_devices)s;

-- name: upsert_software
-- What is installed where, in which version.
INSERT INTO software_inventory (
    device_id, name, version, first_seen_at, last_seen_at, version_since
)
SELECT device_id, name, version, observed_at, observed_at, observed_at
FROM unnest(
    %(device_ids)s::text[], %(names)s::text[], %(versions)s::text[], %(observed)s::timestamptz[]
) AS given (device_id, name, version, observed_at)
ORDER BY device_id, name
ON CONFLICT (device_id, name) DO UPDATE
SET version = EXCLUDED.version,
    last_seen_at = EXCLUDED.last_seen_at,
    version_since = CASE
        WHEN software_inventory.version = EXCLUDED.version THEN software_inventory.version_since
        ELSE EXCLUDED.version_since
    END
WHERE software_inventory.last_seen_at <= EXCLUDED.last_seen_at;
