-- SPDX-License-Identifier: Apache-2.0
-- name: insert_freeze
-- Announce a freeze window.
INSERT INTO freeze_windows (freeze_id, starts_at, ends_at, reason, created_by)
VALUES (%(freeze_id)s, %(starts_at)s, %(ends_at)s, %(reason)s, %(created_by)s);

-- name: list_freezes
-- Freeze windows that have not ended, the next first.
SELECT freeze_id, starts_at, ends_at, reason, created_by
FROM freeze_windows WHERE ends_at > %(now)s ORDER BY starts_at, freeze_id;

-- name: end_freeze
-- Cut a running or future freeze window short; a future one ends as it starts.
UPDATE freeze_windows SET ends_at = greatest(%(now)s, starts_at + interval '1 microsecond')
WHERE freeze_id = %(freeze_id)s AND ends_at > %(now)s
RETURNING freeze_id, starts_at, ends_at, reason, created_by;
