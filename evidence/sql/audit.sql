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
