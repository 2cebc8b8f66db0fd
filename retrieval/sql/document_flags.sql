-- SPDX-License-Identifier: Apache-2.0

-- name: list_open
-- Documents that wait for somebody's look, oldest first.
SELECT f.flag_id, f.document_id, f.kind, f.detail, f.raised_at, d.title, d.version, d.trust,
       d.source_id, o.title AS other_title, o.version AS other_version
FROM document_flags AS f
JOIN documents AS d ON d.document_id = f.document_id AND d.retired_at IS NULL
LEFT JOIN documents AS o ON o.document_id = f.detail ->> 'other' AND o.retired_at IS NULL
WHERE f.resolved_at IS NULL
ORDER BY f.raised_at, f.flag_id
LIMIT %(limit)s;

-- name: take_flag
-- An open flag, kept from others until the transaction ends.
SELECT flag_id, document_id, kind, detail
FROM document_flags
WHERE flag_id = %(flag_id)s AND resolved_at IS NULL
FOR UPDATE;

-- name: find_body
-- The text in force of a document.
SELECT body
FROM documents
WHERE document_id = %(document_id)s AND retired_at IS NULL;

-- name: resolve_flag
-- Records what was decided, and on which text.
UPDATE document_flags
SET resolved_at = %(now)s, resolved_by = %(actor)s, resolution = %(resolution)s,
    detail = detail || jsonb_build_object(
        'content', coalesce(%(content)s::text, detail ->> 'content'))
WHERE flag_id = %(flag_id)s;
