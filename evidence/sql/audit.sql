-- SPDX-License-Identifier: Apache-2.0
-- name: list_events
-- Audit events, newest first, narrowed by whatever is given.
SELECT e.event_id, e.position, e.occurred_at, e.actor, e.action, e.subject_kind, e.subject_id,
       e.device_id, e.correlation_id, e.before, e.after, e.evidence, l.leaf_index
FROM audit_events e
LEFT JOIN log_entries l USING (event_id)
WHERE (%(subject_kind)s::text IS NULL OR e.subject_kind = %(subject_kind)s::text)
  AND (%(subject_id)s::text IS NULL OR e.subject_id = %(subject_id)s::text)
  AND (%(correlation_id)s::text IS NULL OR e.correlation_id = %(correlation_id)s::text)
  AND (%(without_kind)s::text IS NULL OR e.subject_kind <> %(without_kind)s::text)
  AND (%(before_position)s::bigint IS NULL OR e.position < %(before_position)s::bigint)
ORDER BY e.position DESC
LIMIT %(limit)s;

-- name: find_newest_of_policy
-- The newest event of some actions about policies, with its leaf.
SELECT e.event_id, e.position, e.occurred_at, e.actor, e.action, e.subject_kind, e.subject_id,
       e.device_id, e.correlation_id, e.before, e.after, e.evidence, l.leaf_index, l.entry
FROM audit_events e
LEFT JOIN log_entries l USING (event_id)
WHERE e.subject_kind = 'policy' AND e.action = ANY(%(actions)s::text[])
ORDER BY e.position DESC
LIMIT 1;

-- name: find_newest_of_script
-- The newest event of some actions about a script, or one version of it, with its leaf.
SELECT e.event_id, e.position, e.occurred_at, e.actor, e.action, e.subject_kind, e.subject_id,
       e.device_id, e.correlation_id, e.before, e.after, e.evidence, l.leaf_index, l.entry
FROM audit_events e
LEFT JOIN log_entries l USING (event_id)
WHERE e.subject_kind = 'script' AND split_part(e.subject_id, '@', 1) = %(script_id)s::text
  AND e.action = ANY(%(actions)s::text[])
  AND (%(version)s::text IS NULL OR e.subject_id = %(script_id)s::text || '@' || %(version)s::text)
ORDER BY e.position DESC
LIMIT 1;

-- name: list_events_of_subject
-- All events about one subject with their leaves, oldest first.
SELECT e.event_id, e.position, e.occurred_at, e.actor, e.action, e.subject_kind, e.subject_id,
       e.device_id, e.correlation_id, e.before, e.after, e.evidence, l.leaf_index, l.entry
FROM audit_events e
LEFT JOIN log_entries l USING (event_id)
WHERE e.subject_kind = %(subject_kind)s AND e.subject_id = %(subject_id)s
ORDER BY e.position;
