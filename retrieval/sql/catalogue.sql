-- SPDX-License-Identifier: Apache-2.0

-- name: lock_catalogue
-- Makes those who import scripts take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('catalogue', 0));

-- name: find_script_digest
-- The content digest of a script version.
SELECT content_sha256
FROM scripts
WHERE script_id = %(script_id)s AND version = %(version)s;

-- name: retire_other_versions
-- Leaves one version of a script in force.
UPDATE scripts
SET status = 'retired'
WHERE script_id = %(script_id)s AND version <> %(version)s AND status = 'active';

-- name: insert_script
-- Adds a script version to the catalogue.
INSERT INTO scripts (script_id, version, title, author, platforms, interpreter, failure_classes,
                     manifest, analysis, content_sha256, imported_at)
VALUES (%(script_id)s, %(version)s, %(title)s, %(author)s, %(platforms)s, %(interpreter)s,
        %(failure_classes)s, %(manifest)s, %(analysis)s, %(content_sha256)s, %(now)s);

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

-- name: list_script_files
-- The exact bytes of a script version's steps.
SELECT step, content, sha256
FROM script_files
WHERE script_id = %(script_id)s AND version = %(version)s;
