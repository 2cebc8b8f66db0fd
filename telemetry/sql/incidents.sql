-- SPDX-License-Identifier: Apache-2.0
-- name: hold_device
-- The device exists, and will until the transaction ends.
SELECT device_id FROM devices WHERE device_id = %(device_id)s FOR KEY SHARE;

-- name: open_or_merge
-- Open an incident, or count one more occurrence of the open one of the same device and episode.
INSERT INTO incidents (
    incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, detection, reported_by, correlation_id,
    opened_at, updated_at
) VALUES (
    %(incident_id)s, %(device_id)s, %(user_id)s, %(source)s, %(failure_class)s, %(confidence)s,
    %(severity)s, 'open', %(title)s, %(description)s, %(episode_key)s, %(detection)s,
    %(reported_by)s, %(correlation_id)s, %(now)s, %(now)s
)
ON CONFLICT (device_id, episode_key) WHERE status NOT IN ('resolved', 'closed', 'escalated')
DO UPDATE SET
    occurrences = incidents.occurrences + 1,
    severity = LEAST(incidents.severity, EXCLUDED.severity),
    updated_at = GREATEST(incidents.updated_at, EXCLUDED.updated_at)
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at;

-- name: insert_transition
-- One step of an incident's life, never changed afterwards.
INSERT INTO incident_transitions (
    incident_id, from_status, to_status, actor, reason, occurred_at
) VALUES (
    %(incident_id)s, %(from_status)s, %(to_status)s, %(actor)s, %(reason)s, %(now)s
);

-- name: lock_incident
-- The incident as it is now; others who want to change it wait.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at
FROM incidents
WHERE incident_id = %(incident_id)s
FOR NO KEY UPDATE;

-- name: set_status
-- Move the locked incident on.
UPDATE incidents
SET status = %(status)s,
    updated_at = %(now)s,
    resolved_at = CASE
        WHEN %(status)s = 'resolved' THEN %(now)s
        WHEN %(status)s = 'closed' THEN resolved_at
    END
WHERE incident_id = %(incident_id)s
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at;

-- name: find_incident
-- One incident by its id.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at
FROM incidents
WHERE incident_id = %(incident_id)s;

-- name: list_incidents
-- The newest incidents, optionally of one status or device.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at
FROM incidents
WHERE (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(device_id)s::text IS NULL OR device_id = %(device_id)s)
ORDER BY opened_at DESC, incident_id DESC
LIMIT %(limit)s;

-- name: list_transitions
-- The life of one incident, in order.
SELECT position, from_status, to_status, actor, reason, occurred_at
FROM incident_transitions
WHERE incident_id = %(incident_id)s
ORDER BY position;
