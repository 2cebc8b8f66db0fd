-- SPDX-License-Identifier: Apache-2.0

-- name: set_lock_timeout
-- How long a statement waits for a lock, until the transaction ends.
SELECT set_config('lock_timeout', %(lock_timeout)s, true);

-- name: has_documents
-- Whether any document is in force.
SELECT EXISTS (SELECT 1 FROM documents WHERE retired_at IS NULL) AS found;

-- name: has_graphs
-- Whether an index's graphs are made.
SELECT EXISTS (
    SELECT 1 FROM pg_indexes
    WHERE tablename = 'chunk_vectors_' || %(index_id)s::integer AND indexdef LIKE '%%USING hnsw%%'
) AS found;

-- name: list_missing
-- A page, by id, of the documents in force that have passages and are not in an index.
SELECT d.document_id, d.version, d.kind, d.trust, d.platforms, d.products, d.language,
       d.access_groups
FROM documents AS d
WHERE d.retired_at IS NULL AND d.document_id > %(after)s
  AND EXISTS (SELECT 1 FROM chunks AS c
              WHERE c.document_id = d.document_id AND c.version = d.version AND c.current)
  AND NOT EXISTS (SELECT 1 FROM document_vectors AS v
                  WHERE v.index_id = %(index_id)s AND v.document_id = d.document_id)
ORDER BY d.document_id
LIMIT %(limit)s;

-- name: list_still_missing
-- Of some documents, those in force that are not in an index.
SELECT d.document_id, d.version
FROM documents AS d
WHERE d.retired_at IS NULL AND d.document_id = ANY (%(document_ids)s::text[])
  AND NOT EXISTS (SELECT 1 FROM document_vectors AS v
                  WHERE v.index_id = %(index_id)s AND v.document_id = d.document_id);
