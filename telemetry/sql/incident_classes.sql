-- SPDX-License-Identifier: Apache-2.0
-- name: lock_incident
-- The incident as it is now; others who want to change it wait.
SELECT incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of
FROM incidents
WHERE incident_id = %(incident_id)s
FOR NO KEY UPDATE;

-- name: insert_class_label
-- What a person says of an incident's class, never changed afterwards.
INSERT INTO incident_class_labels (
    label_id, incident_id, from_class, from_confidence, failure_class, actor, reason, created_at,
    on_behalf_of
) VALUES (
    %(label_id)s, %(incident_id)s, %(from_class)s, %(from_confidence)s, %(failure_class)s,
    %(actor)s, %(reason)s, %(created_at)s, %(on_behalf_of)s
);

-- name: set_class
-- The locked incident is now what a person says it is.
UPDATE incidents
SET failure_class = %(failure_class)s, confidence = %(confidence)s,
    updated_at = GREATEST(updated_at, %(created_at)s)
WHERE incident_id = %(incident_id)s
RETURNING incident_id, device_id, user_id, source, failure_class, confidence, severity, status,
    title, description, episode_key, entity, detection, occurrences, reported_by, correlation_id,
    opened_at, updated_at, resolved_at, scope, part_of;

-- name: list_class_labels
-- What people said of an incident's class, oldest first.
SELECT label_id, from_class, from_confidence, failure_class, actor, reason, created_at,
    on_behalf_of
FROM incident_class_labels
WHERE incident_id = %(incident_id)s
ORDER BY position;
