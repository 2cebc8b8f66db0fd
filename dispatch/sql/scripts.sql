-- SPDX-License-Identifier: Apache-2.0
-- name: find_script
-- A script version as it stands in the catalogue now.
SELECT interpreter, manifest, content_sha256 FROM scripts
WHERE script_id = %(script_id)s AND version = %(version)s;

-- name: list_files
-- The bytes of a script version.
SELECT step, content, sha256 FROM script_files
WHERE script_id = %(script_id)s AND version = %(version)s ORDER BY step;
