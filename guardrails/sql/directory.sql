-- SPDX-License-Identifier: Apache-2.0

-- name: read_horizon
-- The transaction before which everything has committed or never will.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS horizon;

-- name: list_ordinary_words
-- Words of more than one of the documents that we ship: computing and products, nobody's name.
SELECT word FROM ts_stat($$
    SELECT to_tsvector('simple', body) FROM documents
    WHERE trust = 'starter' AND retired_at IS NULL
$$) WHERE ndoc > 1;

-- name: list_names
-- All that masking knows by name.
SELECT 'account' AS kind, user_id AS name FROM users
UNION ALL SELECT 'account', upn FROM users WHERE upn <> ''
UNION ALL SELECT 'person', display_name FROM users WHERE display_name <> ''
UNION ALL SELECT 'host', hostname FROM devices
UNION ALL SELECT 'asset', serial_number FROM devices WHERE serial_number <> ''
UNION ALL SELECT 'account', username FROM accounts
UNION ALL SELECT 'person', display_name FROM accounts WHERE display_name <> username
UNION ALL SELECT kind, name FROM directory_entries;

-- name: list_changed_names
-- What of that has changed since a horizon; kind 'gone' where it is no longer there.
WITH changed AS MATERIALIZED (
    SELECT DISTINCT kind, key FROM directory_changes WHERE changed_in >= %(horizon)s::xid8
)
SELECT named.kind, named.name
FROM changed AS c
LEFT JOIN users AS u ON c.kind = 'user' AND u.user_id = c.key
LEFT JOIN devices AS d ON c.kind = 'device' AND d.device_id = c.key
LEFT JOIN accounts AS a ON c.kind = 'account' AND a.username = c.key
LEFT JOIN directory_entries AS e ON e.kind = c.kind AND e.name = c.key
CROSS JOIN LATERAL (
    VALUES ('account', u.user_id), ('account', u.upn), ('person', u.display_name),
        ('host', d.hostname), ('asset', d.serial_number),
        ('account', a.username), ('person', a.display_name),
        (e.kind, e.name),
        ('gone', CASE WHEN coalesce(u.user_id, d.device_id, a.username, e.name) IS NULL
            THEN c.key END)
) AS named (kind, name)
WHERE named.name <> '';

-- name: list_own_names
-- Names of one device, of its users and of the users that a case names.
SELECT 'account' AS kind, user_id AS name FROM users
WHERE user_id = ANY(%(user_ids)s::text[])
    OR user_id IN (SELECT user_id FROM device_user_map WHERE device_id = %(device_id)s::text)
UNION ALL
SELECT named.kind, named.name
FROM users AS u
CROSS JOIN LATERAL (VALUES ('account', u.upn), ('person', u.display_name)) AS named (kind, name)
WHERE named.name <> '' AND (
    u.user_id = ANY(%(user_ids)s::text[])
    OR u.user_id IN (SELECT user_id FROM device_user_map WHERE device_id = %(device_id)s::text))
UNION ALL
SELECT named.kind, named.name
FROM devices AS d
CROSS JOIN LATERAL (VALUES ('host', d.hostname), ('asset', d.serial_number)) AS named (kind, name)
WHERE named.name <> '' AND d.device_id = %(device_id)s::text;

-- name: forget_changes
-- Drop what every reader has long seen.
DELETE FROM directory_changes WHERE changed_at < %(before)s;

-- name: state_entries
-- State names; those that are known stay as they are. One row for each that is new.
INSERT INTO directory_entries (kind, name, stated_at)
SELECT kind, name, %(now)s
FROM unnest(%(kinds)s::text[], %(names)s::text[]) AS given (kind, name)
ON CONFLICT (kind, name) DO NOTHING
RETURNING 1 AS stated;
