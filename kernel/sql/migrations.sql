-- SPDX-License-Identifier: Apache-2.0
-- name: create_table
-- The record of what was applied.
CREATE TABLE IF NOT EXISTS schema_migrations (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: lock
-- One migrator at a time; held by the session.
SELECT pg_advisory_lock(4919016403);

-- name: unlock
-- Let the next migrator in.
SELECT pg_advisory_unlock(4919016403);

-- name: list_applied
-- What was applied, in order.
SELECT number, name, sha256 FROM schema_migrations ORDER BY number;

-- name: insert_applied
-- Record one migration in the transaction that made it.
INSERT INTO schema_migrations (number, name, sha256) VALUES (%(number)s, %(name)s, %(sha256)s);
