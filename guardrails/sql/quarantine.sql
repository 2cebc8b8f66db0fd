-- SPDX-License-Identifier: Apache-2.0

-- name: lock_quarantine
-- Let one transaction at a time change the quarantine, until it ends.
SELECT pg_advisory_xact_lock(1163215697);

-- name: find_held
-- What is held of a digest, if anything.
SELECT quarantine_id, sha256, name, source, size_bytes, reason, signature, engine, actor,
    quarantined_at, release_requested_by, released_by, release_reason, released_at,
    deleted_by, deletion_reason, deleted_at, asked_by, ask_reason, asked_at
FROM quarantined_files
WHERE sha256 = %(sha256)s AND released_at IS NULL AND deleted_at IS NULL;

-- name: find_file
-- One file by its id, whatever became of it, with its wrapped key.
SELECT quarantine_id, sha256, name, source, size_bytes, reason, signature, engine, actor,
    quarantined_at, release_requested_by, released_by, release_reason, released_at,
    deleted_by, deletion_reason, deleted_at, asked_by, ask_reason, asked_at, wrapped_key
FROM quarantined_files
WHERE quarantine_id = %(quarantine_id)s;

-- name: list_held
-- What waits for a decision, newest first, after a given one.
SELECT quarantine_id, sha256, name, source, size_bytes, reason, signature, engine, actor,
    quarantined_at, release_requested_by, released_by, release_reason, released_at,
    deleted_by, deletion_reason, deleted_at, asked_by, ask_reason, asked_at
FROM quarantined_files
WHERE released_at IS NULL AND deleted_at IS NULL
    AND (%(before)s::text IS NULL OR quarantine_id < %(before)s::text)
ORDER BY quarantine_id DESC
LIMIT %(limit)s;

-- name: list_held_files
-- Of everything held, what its file's name is made of.
SELECT sha256, quarantine_id FROM quarantined_files
WHERE released_at IS NULL AND deleted_at IS NULL;

-- name: sum_held
-- How many bytes are held.
SELECT coalesce(sum(size_bytes), 0)::bigint AS held_bytes FROM quarantined_files
WHERE released_at IS NULL AND deleted_at IS NULL;

-- name: find_release
-- Whether a digest was released in spite of this finding; without a finding any release counts.
SELECT EXISTS (
    SELECT FROM quarantined_files
    WHERE sha256 = %(sha256)s AND released_at IS NOT NULL AND deleted_at IS NULL
        AND (%(signature)s::text IS NULL OR signature = %(signature)s::text)
) AS released;

-- name: insert_file
-- Take a file in.
INSERT INTO quarantined_files (quarantine_id, sha256, name, source, size_bytes, reason, signature,
    engine, actor, quarantined_at, wrapped_key)
VALUES (%(quarantine_id)s, %(sha256)s, %(name)s, %(source)s, %(size_bytes)s, %(reason)s,
    %(signature)s, %(engine)s, %(actor)s, %(quarantined_at)s, %(wrapped_key)s)
RETURNING quarantine_id, sha256, name, source, size_bytes, reason, signature, engine, actor,
    quarantined_at, release_requested_by, released_by, release_reason, released_at,
    deleted_by, deletion_reason, deleted_at, asked_by, ask_reason, asked_at;

-- name: mark_asked
-- Record who asks for a file's release, and why.
UPDATE quarantined_files
SET asked_by = %(asked_by)s, ask_reason = %(reason)s, asked_at = %(now)s
WHERE quarantine_id = %(quarantine_id)s
RETURNING quarantine_id, sha256, name, source, size_bytes, reason, signature, engine, actor,
    quarantined_at, release_requested_by, released_by, release_reason, released_at,
    deleted_by, deletion_reason, deleted_at, asked_by, ask_reason, asked_at;

-- name: mark_released
-- Let a file go, and forget its key.
UPDATE quarantined_files
SET release_requested_by = %(requested_by)s, released_by = %(released_by)s,
    release_reason = %(reason)s, released_at = %(now)s, wrapped_key = NULL
WHERE quarantine_id = %(quarantine_id)s
RETURNING quarantine_id, sha256, name, source, size_bytes, reason, signature, engine, actor,
    quarantined_at, release_requested_by, released_by, release_reason, released_at,
    deleted_by, deletion_reason, deleted_at, asked_by, ask_reason, asked_at;

-- name: mark_deleted
-- Forget a file's key for good, or withdraw its release.
UPDATE quarantined_files
SET deleted_by = %(deleted_by)s, deletion_reason = %(reason)s, deleted_at = %(now)s,
    wrapped_key = NULL
WHERE quarantine_id = %(quarantine_id)s
RETURNING quarantine_id, sha256, name, source, size_bytes, reason, signature, engine, actor,
    quarantined_at, release_requested_by, released_by, release_reason, released_at,
    deleted_by, deletion_reason, deleted_at, asked_by, ask_reason, asked_at;
