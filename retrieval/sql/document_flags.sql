-- SPDX-License-Identifier: Apache-2.0

-- name: lock_decisions
-- Makes those who look for copies and those who decide on words take turns, for a transaction.
SELECT pg_advisory_xact_lock(hashtextextended('near_duplicates', 0));

-- name: raise_flag
-- Asks people to look at a document, unless they keep it: since lately, or after just this
-- comparison. One that waits for them is told anew where the comparison is another.
INSERT INTO document_flags (flag_id, document_id, kind, detail, raised_at)
SELECT %(flag_id)s, %(document_id)s, %(kind)s, %(detail)s::jsonb, %(now)s
WHERE NOT EXISTS (
    SELECT 1 FROM document_flags
    WHERE document_id = %(document_id)s AND kind = %(kind)s AND resolution = 'kept'
      AND (resolved_at > %(kept_since)s::timestamptz
           OR detail ->> 'comparison' = %(detail)s::jsonb ->> 'comparison')
)
ON CONFLICT (document_id, kind) WHERE resolved_at IS NULL DO UPDATE
SET detail = excluded.detail
WHERE (document_flags.detail ->> 'comparison') IS DISTINCT FROM (excluded.detail ->> 'comparison')
RETURNING flag_id;

-- name: list_open
-- Documents that wait for somebody's look, oldest first, of those that groups may read, where they
-- may also read what is compared with: out of force it is as hidden as it was.
SELECT f.flag_id, f.document_id, f.kind, f.detail, f.raised_at, d.title, d.version, d.trust,
       d.source_id, o.title AS other_title, o.version AS other_version
FROM document_flags AS f
JOIN documents AS d ON d.document_id = f.document_id AND d.retired_at IS NULL
LEFT JOIN LATERAL (
    SELECT title, version, access_groups, source_id, retired_at
    FROM documents
    WHERE document_id = f.detail ->> 'other'
    ORDER BY version DESC
    LIMIT 1
) AS o ON true
LEFT JOIN document_sources AS s ON s.source_id = o.source_id AND o.retired_at IS NOT NULL
WHERE f.resolved_at IS NULL
  AND (%(flag_id)s::text IS NULL OR f.flag_id = %(flag_id)s)
  AND (%(document_ids)s::text[] IS NULL OR f.document_id = ANY (%(document_ids)s::text[]))
  AND (%(groups)s::text[] IS NULL OR d.access_groups = '{}' OR d.access_groups && %(groups)s::text[])
  AND (%(groups)s::text[] IS NULL OR f.detail ->> 'other' IS NULL
       OR ((o.access_groups = '{}' OR o.access_groups && %(groups)s::text[])
           AND (coalesce(s.access_groups, '{}') = '{}' OR s.access_groups && %(groups)s::text[])))
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

-- name: list_refusals
-- The newest decisions by which people have taken texts out of search, under whatever name.
SELECT DISTINCT ON (detail ->> 'content') detail ->> 'content' AS content, flag_id, kind,
       resolved_by, resolved_at
FROM document_flags
WHERE detail ->> 'content' = ANY (%(contents)s::text[]) AND resolution = 'retired'
ORDER BY detail ->> 'content', resolved_at DESC;

-- name: list_bodies
-- The texts in force of documents.
SELECT document_id, body
FROM documents
WHERE document_id = ANY (%(document_ids)s::text[]) AND retired_at IS NULL;
