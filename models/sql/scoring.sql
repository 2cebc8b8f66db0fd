-- SPDX-License-Identifier: Apache-2.0

-- name: lock_scoring
-- One batch at a time: a device's reports are scored in order.
SELECT pg_advisory_xact_lock(%(lock_key)s);

-- name: find_states
-- The detector's memory of some devices.
SELECT device_id, state FROM detector_states WHERE device_id = ANY (%(device_ids)s);

-- name: store_state
-- Keeps the detector's memory of a device.
INSERT INTO detector_states (device_id, state, updated_at)
VALUES (%(device_id)s, %(state)s, %(now)s)
ON CONFLICT (device_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at;
