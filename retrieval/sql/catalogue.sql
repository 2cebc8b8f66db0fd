-- SPDX-License-Identifier: Apache-2.0

-- name: lock_catalogue
-- Makes those who import scripts take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('catalogue', 0));

-- name: find_script_digest
-- The content digest of a script version.
SELECT content_sha256
FROM scripts
WHERE script_id = %(script_id)s AND version = %(version)s;

-- name: list_versions
-- All versions of a script and where each stands.
SELECT version, status
FROM scripts
WHERE script_id = %(script_id)s;

-- name: supersede_others
-- Takes the version of a script that was in force so far out of force.
UPDATE scripts
SET status = 'superseded'
WHERE script_id = %(script_id)s AND version <> %(version)s AND status = 'active';

-- name: set_status
-- Says where a script version stands.
UPDATE scripts
SET status = %(status)s
WHERE script_id = %(script_id)s AND version = %(version)s;

-- name: insert_script
-- Adds a script version to the catalogue, proposed.
INSERT INTO scripts (script_id, version, title, author, platforms, interpreter, failure_classes,
                     manifest, analysis, quality, content_sha256, status, imported_by, imported_for,
                     imported_at, entry)
VALUES (%(script_id)s, %(version)s, %(title)s, %(author)s, %(platforms)s, %(interpreter)s,
        %(failure_classes)s, %(manifest)s, %(analysis)s, %(quality)s, %(content_sha256)s,
        'proposed', %(imported_by)s, %(imported_for)s, %(now)s, %(entry)s);

-- name: insert_script_file
-- Stores the exact bytes of one step.
INSERT INTO script_files (script_id, version, step, content, sha256)
VALUES (%(script_id)s, %(version)s, %(step)s, %(content)s, %(sha256)s);

-- name: find_script
-- A script version's catalogue entry.
SELECT script_id, version, title, author, platforms, interpreter, failure_classes, manifest,
       analysis, content_sha256, status, imported_at
FROM scripts
WHERE script_id = %(script_id)s AND version = %(version)s;

-- name: find_active_script
-- The version of a script that is in force.
SELECT script_id, version, title, author, platforms, interpreter, failure_classes, manifest,
       analysis, content_sha256, status, imported_at
FROM scripts
WHERE script_id = %(script_id)s AND status = 'active';

-- name: list_active_scripts
-- The scripts in force, for one platform or all.
SELECT script_id, version, title, author, platforms, interpreter, failure_classes, manifest,
       analysis, content_sha256, status, imported_at
FROM scripts
WHERE status = 'active' AND (%(platform)s::text IS NULL OR %(platform)s::text = ANY (platforms))
ORDER BY script_id;

-- name: list_catalogue
-- All versions, the scripts by id and of each the newest import first.
SELECT script_id, version, title, author, platforms, interpreter, analysis, content_sha256, status,
       imported_by, imported_at
FROM scripts
ORDER BY script_id, imported_at DESC, version DESC;

-- name: list_script_files
-- The exact bytes of a script version's steps.
SELECT step, content, sha256
FROM script_files
WHERE script_id = %(script_id)s AND version = %(version)s;
