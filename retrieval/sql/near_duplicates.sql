-- SPDX-License-Identifier: Apache-2.0

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
