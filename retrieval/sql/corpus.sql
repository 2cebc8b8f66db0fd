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
       failure_classes, related_scripts, content_sha256, ingested_at, retired_at
FROM documents
WHERE document_id = %(document_id)s AND version = %(version)s;

-- name: list_current_documents
-- The documents in force.
SELECT document_id, version, kind, title, platforms, failure_classes, trust, ingested_at
FROM documents
WHERE retired_at IS NULL
ORDER BY kind, document_id;

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
                       failure_classes, related_scripts, content_sha256, ingested_at)
VALUES (%(document_id)s, %(version)s, %(kind)s, %(title)s, %(body)s, %(source)s, %(trust)s,
        %(platforms)s, %(products)s, %(failure_classes)s, %(related_scripts)s,
        %(content_sha256)s, %(now)s);

-- name: insert_chunk
-- Stores a passage with its dense vector; keyword weights follow when statistics are known.
INSERT INTO chunks (chunk_id, document_id, version, ordinal, start_offset, end_offset, text,
                    embedding, keywords)
VALUES (%(chunk_id)s, %(document_id)s, %(version)s, %(ordinal)s, %(start_offset)s, %(end_offset)s,
        %(text)s, %(embedding)s::halfvec, %(keywords)s::sparsevec);

-- name: list_current_chunks
-- All searchable passages with their texts.
SELECT chunk_id, text
FROM chunks
WHERE current
ORDER BY chunk_id;

-- name: update_keywords
-- Replaces a passage's BM25 weights.
UPDATE chunks
SET keywords = %(keywords)s::sparsevec
WHERE chunk_id = %(chunk_id)s;

-- name: store_statistics
-- Replaces the corpus statistics that queries are weighed with.
INSERT INTO retrieval_statistics (singleton, n_chunks, mean_chunk_length, document_frequency)
VALUES (true, %(n_chunks)s, %(mean_chunk_length)s, %(document_frequency)s)
ON CONFLICT (singleton) DO UPDATE
SET n_chunks = excluded.n_chunks, mean_chunk_length = excluded.mean_chunk_length,
    document_frequency = excluded.document_frequency;

-- name: find_statistics
-- The corpus statistics.
SELECT n_chunks, mean_chunk_length, document_frequency
FROM retrieval_statistics;

-- name: search_passages
-- Exact scores of the searchable passages of a platform, best dense first and best keyword first.
WITH scored AS (
    SELECT c.chunk_id, c.document_id, c.version, c.start_offset, c.end_offset, c.text,
           d.kind, d.title, d.trust, d.platforms, d.failure_classes, d.related_scripts,
           1 - (c.embedding <=> %(embedding)s::halfvec) AS dense_score,
           -(c.keywords <#> %(keywords)s::sparsevec) AS keyword_score
    FROM chunks AS c
    JOIN documents AS d USING (document_id, version)
    WHERE c.current
      AND (%(platform)s::text IS NULL OR %(platform)s::text = ANY (d.platforms))
      AND (%(kind)s::text IS NULL OR d.kind = %(kind)s::text)
),
ranked AS (
    SELECT scored.*,
           row_number() OVER (ORDER BY dense_score DESC) AS dense_rank,
           row_number() OVER (ORDER BY keyword_score DESC) AS keyword_rank
    FROM scored
)
SELECT chunk_id, document_id, version, start_offset, end_offset, text, kind, title, trust,
       platforms, failure_classes, related_scripts, dense_score, keyword_score
FROM ranked
WHERE dense_rank <= %(n_candidates)s OR keyword_rank <= %(n_candidates)s;
