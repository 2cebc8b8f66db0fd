-- SPDX-License-Identifier: Apache-2.0

-- name: find_index
-- The index in a state of which there is at most one: serving or building.
SELECT index_id, model, revision, recipe, state, n_chunks, n_terms, mean_length, generation
FROM search_indexes
WHERE state = %(state)s;

-- name: list_open_indexes
-- The indexes that must follow every change of the corpus.
SELECT index_id, model, revision, recipe, state, n_chunks, n_terms, mean_length, generation
FROM search_indexes
WHERE state IN ('serving', 'building')
ORDER BY index_id
FOR UPDATE;

-- name: list_indexes
-- All indexes, newest first.
SELECT index_id, model, revision, recipe, state, n_chunks, n_terms, mean_length, generation,
       created_at, served_at, retired_at
FROM search_indexes
ORDER BY index_id DESC;

-- name: insert_index
-- Adds an index in a state; its tables follow.
INSERT INTO search_indexes (model, revision, recipe, state, created_at, served_at)
VALUES (%(model)s, %(revision)s, %(recipe)s, %(state)s, %(now)s,
        CASE WHEN %(state)s = 'serving' THEN %(now)s::timestamptz END)
RETURNING index_id, model, revision, recipe, state, n_chunks, n_terms, mean_length, generation;

-- name: create_partitions
-- Makes the tables of an index.
SELECT create_index_partitions(%(index_id)s);

-- name: create_graphs
-- Makes what finds neighbours and facets in an index without reading all of it.
SELECT create_index_graphs(%(index_id)s);

-- name: drop_partitions
-- Drops the tables of an index that does not serve.
SELECT drop_index_partitions(%(index_id)s);

-- name: list_retired_tables
-- Indexes out of use whose tables are still there.
SELECT index_id
FROM search_indexes
WHERE state = 'retired' AND to_regclass('chunk_vectors_' || index_id) IS NOT NULL
ORDER BY index_id;

-- name: retire_serving
-- Takes the serving index out of use.
UPDATE search_indexes
SET state = 'retired', retired_at = %(now)s
WHERE state = 'serving';

-- name: retire_index
-- Gives an index up.
UPDATE search_indexes
SET state = 'retired', retired_at = %(now)s
WHERE index_id = %(index_id)s;

-- name: serve_index
-- Puts a finished index to use.
UPDATE search_indexes
SET state = 'serving', served_at = %(now)s
WHERE index_id = %(index_id)s AND state = 'building';

-- name: count_changes
-- Moves an index's counts and marks that it changed.
UPDATE search_indexes
SET n_chunks = n_chunks + %(n_chunks)s, n_terms = n_terms + %(n_terms)s,
    generation = generation + 1
WHERE index_id = %(index_id)s;

-- name: set_mean_length
-- Says which mean length the keyword weights of an index assume.
UPDATE search_indexes
SET mean_length = %(mean_length)s, generation = generation + 1
WHERE index_id = %(index_id)s;

-- name: add_terms
-- Raises or lowers in how many chunks terms occur.
INSERT INTO index_terms (index_id, term, n_chunks)
SELECT %(index_id)s, t.term, t.n
FROM unnest(%(terms)s::integer[], %(counts)s::integer[]) AS t (term, n)
ORDER BY t.term
ON CONFLICT (index_id, term) DO UPDATE
SET n_chunks = index_terms.n_chunks + excluded.n_chunks;

-- name: find_terms
-- In how many chunks each of some terms occurs.
SELECT term, n_chunks
FROM index_terms
WHERE index_id = %(index_id)s AND term = ANY (%(terms)s::integer[]);

-- name: delete_terms
-- Forgets the terms of an index.
DELETE FROM index_terms
WHERE index_id = %(index_id)s;

-- name: copy_chunk_vectors
-- Adds passages to an index.
COPY chunk_vectors (index_id, chunk_id, document_id, facets, signals, embedding, keywords)
FROM STDIN;

-- name: copy_document_vectors
-- Adds documents' centroids to an index.
COPY document_vectors (index_id, document_id, centroid) FROM STDIN;

-- name: delete_chunk_vectors
-- Takes a document's passages out of an index.
DELETE FROM chunk_vectors
WHERE index_id = %(index_id)s AND document_id = %(document_id)s;

-- name: delete_document_vector
-- Takes a document's centroid out of an index.
DELETE FROM document_vectors
WHERE index_id = %(index_id)s AND document_id = %(document_id)s;

-- name: change_facets
-- Replaces what filters ask for of a document's passages.
UPDATE chunk_vectors
SET facets = %(facets)s
WHERE index_id = %(index_id)s AND document_id = %(document_id)s;

-- name: update_keywords
-- Replaces a passage's BM25 weights.
UPDATE chunk_vectors
SET keywords = %(keywords)s::sparsevec
WHERE index_id = %(index_id)s AND chunk_id = %(chunk_id)s;

-- name: list_chunks_of
-- The current passages of a document, with what stands above them.
SELECT c.chunk_id, c.text, c.headings, d.title
FROM chunks AS c
JOIN documents AS d USING (document_id, version)
WHERE c.document_id = %(document_id)s AND c.current
ORDER BY c.ordinal;

-- name: list_documents_after
-- A page of the documents in force, by id.
SELECT document_id, version, kind, trust, platforms, products, language, access_groups
FROM documents
WHERE retired_at IS NULL AND document_id > %(after)s
ORDER BY document_id
LIMIT %(limit)s;

-- name: count_missing
-- How many documents in force have passages and are not in an index.
SELECT count(*) AS n
FROM documents AS d
WHERE d.retired_at IS NULL
  AND EXISTS (SELECT 1 FROM chunks AS c
              WHERE c.document_id = d.document_id AND c.version = d.version AND c.current)
  AND NOT EXISTS (SELECT 1 FROM document_vectors AS v
                  WHERE v.index_id = %(index_id)s AND v.document_id = d.document_id);
