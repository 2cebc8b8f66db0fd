-- SPDX-License-Identifier: Apache-2.0
-- name: hold_device
-- The device exists, and will until the transaction ends.
SELECT device_id FROM devices WHERE device_id = %(device_id)s FOR KEY SHARE;

-- name: open_or_merge
-- Open an incident, or count one more occurrence of the open one of the same device and episode.
INSERT INTO incidents (
    incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, reported_by, correlation_id,
    opened_at, updated_at
) VALUES (
    %(incident_id)s, %(device_id)s, %(user_id)s, %(source)s, %(failure_class)s, %(confidence)s,
    %(severity)s, 'open', %(title)s, %(description)s, %(episode_key)s, %(entity)s, %(detection)s,
    %(reported_by)s, %(correlation_id)s, %(now)s, %(now)s
)
ON CONFLICT (device_id, episode_key) WHERE status NOT IN ('resolved', 'closed', 'escalated')
DO UPDATE SET
    occurrences = incidents.occurrences + 1,
    severity = LEAST(incidents.severity, EXCLUDED.severity),
    updated_at = GREATEST(incidents.updated_at, EXCLUDED.updated_at)
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at;

-- name: hold_episode
-- Repeated signals of one episode wait for each other; no index covers all that they may join.
SELECT pg_advisory_xact_lock(
    491901642, hashtext(concat_ws(' ', %(device_id)s::text, %(episode_key)s::text))
);

-- name: repeat
-- Count one more occurrence of the newest incident of this episode that is not solved. One that
-- waits for a person is not: what its sender repeats is known already.
UPDATE incidents SET
    occurrences = occurrences + 1,
    severity = LEAST(severity, %(severity)s),
    updated_at = GREATEST(updated_at, %(now)s)
WHERE status NOT IN ('resolved', 'closed') AND incident_id = (
    SELECT incident_id FROM incidents
    WHERE device_id IS NOT DISTINCT FROM %(device_id)s::text
        AND episode_key = %(episode_key)s
        AND status NOT IN ('resolved', 'closed')
    ORDER BY opened_at DESC, incident_id DESC
    LIMIT 1
)
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at;

-- name: hold_open
-- The open incident of an episode does not end before the transaction does.
SELECT incident_id FROM incidents
WHERE device_id = %(device_id)s AND episode_key = %(episode_key)s
    AND status NOT IN ('resolved', 'closed', 'escalated')
FOR NO KEY UPDATE;

-- name: join_solved
-- Count one more occurrence of an incident that was solved after this was seen, if none is open.
UPDATE incidents SET occurrences = occurrences + 1
WHERE incident_id = (
    SELECT s.incident_id FROM incidents AS s
    WHERE s.device_id = %(device_id)s AND s.episode_key = %(episode_key)s
        AND s.status IN ('resolved', 'closed') AND s.resolved_at >= %(observed_at)s
        AND NOT EXISTS (
            SELECT FROM incidents AS o
            WHERE o.device_id = %(device_id)s AND o.episode_key = %(episode_key)s
                AND o.status NOT IN ('resolved', 'closed', 'escalated')
        )
    ORDER BY s.resolved_at DESC, s.incident_id DESC
    LIMIT 1
)
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
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
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
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
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at;

-- name: find_incident
-- One incident by its id.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at
FROM incidents
WHERE incident_id = %(incident_id)s;

-- name: list_incidents
-- The newest incidents, optionally of one status or device.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
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
