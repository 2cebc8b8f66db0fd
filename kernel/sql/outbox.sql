-- SPDX-License-Identifier: Apache-2.0
-- name: insert_message
-- Write one message; it becomes visible when the transaction commits.
INSERT INTO outbox (topic, payload, correlation_id, created_at, available_at)
VALUES (%(topic)s, %(payload)s, %(correlation_id)s, %(created_at)s, %(available_at)s)
RETURNING message_id;

-- name: notify
-- Wake the workers at commit; a lost notification only costs them their poll interval.
SELECT pg_notify('eucora_outbox', %(topic)s);

-- name: claim_message
-- Lock the oldest due message of the handled topics that no other worker holds.
SELECT message_id, topic, payload, correlation_id, attempts
FROM outbox
WHERE done_at IS NULL
  AND topic = ANY(%(topics)s)
  AND available_at <= %(now)s
  AND attempts < %(max_attempts)s
ORDER BY available_at, message_id
LIMIT 1
FOR UPDATE SKIP LOCKED;

-- name: mark_done
-- The message is handled; its effects commit together with this mark.
UPDATE outbox
SET done_at = %(now)s, attempts = attempts + 1, last_error = NULL
WHERE message_id = %(message_id)s;

-- name: mark_failed
-- The handler failed: count the attempt and wait before the next one.
UPDATE outbox
SET attempts = attempts + 1, last_error = %(last_error)s, available_at = %(available_at)s
WHERE message_id = %(message_id)s AND done_at IS NULL AND attempts = %(attempts)s;
