-- SPDX-License-Identifier: Apache-2.0

-- name: lock_corpus
-- Makes those who change the corpus take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('corpus', 0));

-- name: find_current_document
-- The version of a document that is in force.
SELECT document_id, version, content_sha256
FROM documents
WHERE document_id = %(document_id)s AND retired_at IS NULL;

-- name: find_document
-- One version of a document, whole: old citations keep resolving.
SELECT document_id, version, kind, title, body, source, trust, platforms, products,
       failure_classes, related_scripts, source_id, path, language, access_groups, metadata,
       content_sha256, ingested_at, retired_at
FROM documents
WHERE document_id = %(document_id)s AND version = %(version)s;

-- name: next_version
-- The number after a document's newest version.
SELECT coalesce(max(version), 0) + 1 AS version
FROM documents
WHERE document_id = %(document_id)s;

-- name: retire_document
-- Takes a document out of force.
UPDATE documents
SET retired_at = %(now)s
WHERE document_id = %(document_id)s AND retired_at IS NULL;

-- name: retire_chunks
-- Takes a document's passages out of search.
UPDATE chunks
SET current = false
WHERE document_id = %(document_id)s AND current;

-- name: insert_document
-- Stores a new version of a document.
INSERT INTO documents (document_id, version, kind, title, body, source, trust, platforms, products,
                       failure_classes, related_scripts, source_id, path, language, access_groups,
                       metadata, content_sha256, ingested_at)
VALUES (%(document_id)s, %(version)s, %(kind)s, %(title)s, %(body)s, %(source)s, %(trust)s,
        %(platforms)s, %(products)s, %(failure_classes)s, %(related_scripts)s, %(source_id)s,
        %(path)s, %(language)s, %(access_groups)s, %(metadata)s, %(content_sha256)s, %(now)s);

-- name: insert_chunk
-- Stores a passage; its vectors are kept by index.
INSERT INTO chunks (chunk_id, document_id, version, ordinal, start_offset, end_offset, text,
                    headings, page)
VALUES (%(chunk_id)s, %(document_id)s, %(version)s, %(ordinal)s, %(start_offset)s, %(end_offset)s,
        %(text)s, %(headings)s, %(page)s);

-- name: change_terms
-- Gives a source's documents in force another trust and other readers.
UPDATE documents
SET trust = %(trust)s, access_groups = %(access_groups)s
WHERE source_id = %(source_id)s AND retired_at IS NULL
  AND (trust, access_groups) IS DISTINCT FROM (%(trust)s, %(access_groups)s::text[])
RETURNING document_id, kind, trust, platforms, products, language, access_groups;
