-- SPDX-License-Identifier: Apache-2.0

-- name: list_open
-- Documents that wait for somebody's look, oldest first, of those that groups may read.
SELECT f.flag_id, f.document_id, f.kind, f.detail, f.raised_at, d.title, d.version, d.trust,
       d.source_id, o.title AS other_title, o.version AS other_version
FROM document_flags AS f
JOIN documents AS d ON d.document_id = f.document_id AND d.retired_at IS NULL
LEFT JOIN documents AS o ON o.document_id = f.detail ->> 'other' AND o.retired_at IS NULL
WHERE f.resolved_at IS NULL
  AND (%(flag_id)s::text IS NULL OR f.flag_id = %(flag_id)s)
  AND (%(groups)s::text[] IS NULL OR d.access_groups = '{}' OR d.access_groups && %(groups)s::text[])
  AND (%(groups)s::text[] IS NULL OR coalesce(o.access_groups, '{}') = '{}'
       OR o.access_groups && %(groups)s::text[])
ORDER BY f.raised_at, f.flag_id
LIMIT %(limit)s;

-- name: list_retired
-- What people have taken out of search, newest first, of what groups may read: the document when
-- it was in force, and its source now.
SELECT f.flag_id, f.document_id, f.kind, f.resolved_at, f.resolved_by, d.title, d.version
FROM document_flags AS f
CROSS JOIN LATERAL (
    SELECT title, version, access_groups, source_id
    FROM documents
    WHERE document_id = f.document_id
    ORDER BY version DESC
    LIMIT 1
) AS d
LEFT JOIN document_sources AS s USING (source_id)
WHERE f.resolution = 'retired' AND (%(flag_id)s::text IS NULL OR f.flag_id = %(flag_id)s)
  AND (%(groups)s::text[] IS NULL OR d.access_groups = '{}' OR d.access_groups && %(groups)s::text[])
  AND (%(groups)s::text[] IS NULL OR coalesce(s.access_groups, '{}') = '{}'
       OR s.access_groups && %(groups)s::text[])
ORDER BY f.resolved_at DESC, f.flag_id
LIMIT %(limit)s;

-- name: take_flag
-- A flag that may be decided on, kept from others until the transaction ends: an open one, and to
-- keep what was taken out, that one too.
SELECT flag_id, document_id, kind, detail, resolution
FROM document_flags
WHERE flag_id = %(flag_id)s
  AND (resolved_at IS NULL OR (resolution = 'retired' AND %(resolution)s = 'kept'))
FOR UPDATE;

-- name: look_again
-- Makes the next run of a source take anew what holds a document, or was left out as it was.
UPDATE ingested_files
SET sha256 = NULL
WHERE %(document_id)s = ANY (document_ids) OR reason = ANY (%(reasons)s::text[]);

-- name: find_body
-- The newest text of a document, which may be out of force since it was flagged.
SELECT body
FROM documents
WHERE document_id = %(document_id)s
ORDER BY version DESC
LIMIT 1;

-- name: resolve_flag
-- Records what was decided, and on which text.
UPDATE document_flags
SET resolved_at = %(now)s, resolved_by = %(actor)s, resolution = %(resolution)s,
    detail = detail || jsonb_build_object(
        'content', coalesce(%(content)s::text, detail ->> 'content'))
WHERE flag_id = %(flag_id)s;
