-- SPDX-License-Identifier: Apache-2.0
-- name: hold_device
-- The device exists, and will until the transaction ends.
SELECT device_id FROM devices WHERE device_id = %(device_id)s FOR KEY SHARE;

-- name: open_or_merge
-- Open an incident, or count one more occurrence of the open one of the same device and episode.
INSERT INTO incidents (
    incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, reported_by, correlation_id,
    opened_at, updated_at, scope
) VALUES (
    %(incident_id)s, %(device_id)s, %(user_id)s, %(source)s, %(failure_class)s, %(confidence)s,
    %(severity)s, 'open', %(title)s, %(description)s, %(episode_key)s, %(entity)s, %(detection)s,
    %(reported_by)s, %(correlation_id)s, %(now)s, %(now)s, %(scope)s
)
ON CONFLICT (device_id, episode_key) WHERE status NOT IN ('resolved', 'closed', 'escalated')
DO UPDATE SET
    occurrences = incidents.occurrences + 1,
    severity = LEAST(incidents.severity, EXCLUDED.severity),
    updated_at = GREATEST(incidents.updated_at, EXCLUDED.updated_at)
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of;

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
    opened_at, updated_at, resolved_at, scope, part_of;

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
    opened_at, updated_at, resolved_at, scope, part_of;

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
    opened_at, updated_at, resolved_at, scope, part_of
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
    opened_at, updated_at, resolved_at, scope, part_of;

-- name: find_incident
-- One incident by its id.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of
FROM incidents
WHERE incident_id = %(incident_id)s;

-- name: list_incidents
-- The newest incidents, optionally of one status or device.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of
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

-- name: link_to_whole
-- Make devices' incidents part of a fleet incident; those that are part of one already stay.
UPDATE incidents AS i SET part_of = %(whole_id)s, updated_at = GREATEST(i.updated_at, %(now)s)
WHERE i.incident_id = ANY(%(incident_ids)s) AND i.scope = 'device'
    AND i.part_of IS DISTINCT FROM %(whole_id)s
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of;

-- name: list_parts
-- The devices' incidents of a fleet incident that have not ended, oldest first.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of
FROM incidents
WHERE part_of = %(whole_id)s AND status NOT IN ('resolved', 'closed')
ORDER BY opened_at, incident_id;

-- name: release_part
-- A device's incident stands on its own again.
UPDATE incidents SET part_of = NULL, updated_at = GREATEST(updated_at, %(now)s)
WHERE incident_id = %(incident_id)s AND part_of IS NOT NULL
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of;

-- name: redescribe
-- What is known of a fleet incident now, and the device that stands for it.
UPDATE incidents SET
    device_id = %(device_id)s,
    title = %(title)s,
    description = %(description)s,
    entity = %(entity)s,
    detection = %(detection)s,
    severity = LEAST(severity, %(severity)s),
    occurrences = %(occurrences)s,
    updated_at = GREATEST(updated_at, %(now)s)
WHERE incident_id = %(incident_id)s AND scope = 'fleet'
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of;

-- name: count_others
-- How many devices beside the one that stands for a fleet incident are affected still.
SELECT count(DISTINCT e.device_id) AS n_devices
FROM incident_members AS m
JOIN device_episodes AS e USING (episode_id)
JOIN incidents AS i USING (incident_id)
WHERE m.incident_id = %(incident_id)s AND m.left_at IS NULL
    AND e.device_id IS DISTINCT FROM i.device_id;
