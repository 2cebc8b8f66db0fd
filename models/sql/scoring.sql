-- SPDX-License-Identifier: Apache-2.0

-- name: lock_scoring
-- One batch at a time: a device's reports are scored in order.
SELECT pg_advisory_xact_lock(%(lock_key)s);

-- name: find_outcome
-- This transaction's id, and whether an earlier one, by its id, was committed; null if that is not
-- known. An id that is not ours to ask for comes of another server, as after a restore.
SELECT pg_current_xact_id()::text AS transaction,
       CASE WHEN %(earlier)s::text::xid8 < pg_current_xact_id()
            THEN pg_xact_status(%(earlier)s::text::xid8) = 'committed'
       END AS is_committed;

-- name: find_states
-- The detector's memory of some devices.
SELECT device_id, state FROM detector_states WHERE device_id = ANY (%(device_ids)s);

-- name: store_states
-- Keeps the detector's memory of some devices.
INSERT INTO detector_states (device_id, state, updated_at)
SELECT device_id, state, %(now)s
FROM unnest(%(device_ids)s::text[], %(states)s::bytea[]) AS given (device_id, state)
ON CONFLICT (device_id) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at;

-- name: find_cohorts
-- What was learnt of some cohorts, and since which beginning.
SELECT cohort, state, generation FROM detector_cohorts WHERE cohort = ANY (%(cohorts)s);

-- name: find_generations
-- Which beginnings some cohorts that are known are of.
SELECT cohort, generation FROM detector_cohorts WHERE cohort = ANY (%(cohorts)s);

-- name: store_cohort
-- Keeps what was learnt of a cohort; tells whether nothing was known of it, and its beginning.
INSERT INTO detector_cohorts (cohort, state, updated_at)
VALUES (%(cohort)s, %(state)s, %(now)s)
ON CONFLICT (cohort) DO UPDATE SET state = excluded.state, updated_at = excluded.updated_at
RETURNING (xmax = 0) AS is_new, generation;

-- name: forget_idle_cohorts
-- Drops what was learnt of cohorts that nobody has belonged to for long.
DELETE FROM detector_cohorts WHERE updated_at < %(not_since)s AND cohort <> '';

-- name: count_living
-- How many devices report.
SELECT count(*) AS n_devices FROM devices WHERE status = 'active' AND last_seen_at > %(since)s;

-- name: list_layouts
-- Layouts that states may have been written in.
SELECT layout, metrics FROM detector_layouts;

-- name: store_layout
-- Remembers a layout.
INSERT INTO detector_layouts (layout, metrics, created_at)
VALUES (%(layout)s, %(metrics)s, %(now)s) ON CONFLICT (layout) DO NOTHING;
