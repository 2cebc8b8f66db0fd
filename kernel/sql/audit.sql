-- SPDX-License-Identifier: Apache-2.0
-- name: insert_event
-- Write one audit event; its position is given by the database.
INSERT INTO audit_events (
    event_id, occurred_at, actor, action, subject_kind, subject_id,
    device_id, correlation_id, before, after, evidence
) VALUES (
    %(event_id)s, %(occurred_at)s, %(actor)s, %(action)s, %(subject_kind)s, %(subject_id)s,
    %(device_id)s, %(correlation_id)s, %(before)s, %(after)s, %(evidence)s
);
