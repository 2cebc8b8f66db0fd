-- SPDX-License-Identifier: Apache-2.0

-- name: lock_fingerprints
-- Makes those who look for copies take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('near_duplicates', 0));

-- name: list_unfingerprinted
-- Articles in force whose version has no fingerprint yet.
SELECT d.document_id, d.version, d.body
FROM documents AS d
LEFT JOIN document_fingerprints AS f USING (document_id, version)
WHERE d.retired_at IS NULL AND d.kind = 'article' AND f.document_id IS NULL
ORDER BY d.document_id
LIMIT %(limit)s;

-- name: keep_fingerprint
-- Records the fingerprint of a document's version in force.
INSERT INTO document_fingerprints (document_id, version, bands)
SELECT document_id, version, %(bands)s
FROM documents
WHERE document_id = %(document_id)s AND retired_at IS NULL
ON CONFLICT (document_id) DO UPDATE
SET version = excluded.version, bands = excluded.bands;

-- name: list_candidates
-- Documents in force, not of the same file, that share bands with a fingerprint: most first.
SELECT d.document_id, d.title, d.body, d.trust, d.access_groups
FROM document_fingerprints AS f
JOIN documents AS d USING (document_id, version)
WHERE f.bands && %(bands)s::bigint[] AND d.retired_at IS NULL
  AND d.document_id <> %(document_id)s
  AND NOT (coalesce(d.source_id, '') = %(source_id)s AND d.path = %(path)s)
ORDER BY cardinality(ARRAY(SELECT unnest(f.bands) INTERSECT SELECT unnest(%(bands)s::bigint[])))
         DESC, d.document_id
LIMIT %(limit)s;

-- name: raise_flag
-- Asks people to look at a document, unless they have decided on just this before.
INSERT INTO document_flags (flag_id, document_id, kind, detail, raised_at)
SELECT %(flag_id)s, %(document_id)s, 'near_duplicate', %(detail)s::jsonb, %(now)s
WHERE NOT EXISTS (
    SELECT 1 FROM document_flags
    WHERE document_id = %(document_id)s AND kind = 'near_duplicate' AND resolution = 'kept'
      AND detail ->> 'comparison' = %(detail)s::jsonb ->> 'comparison'
)
ON CONFLICT (document_id, kind) WHERE resolved_at IS NULL DO UPDATE
SET detail = excluded.detail
WHERE (document_flags.detail ->> 'comparison') IS DISTINCT FROM (excluded.detail ->> 'comparison')
RETURNING flag_id;

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
