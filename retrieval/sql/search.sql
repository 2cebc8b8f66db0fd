-- SPDX-License-Identifier: Apache-2.0

-- name: read_passages
-- The texts of passages, and what is known of their documents.
SELECT c.chunk_id, c.document_id, c.version, c.start_offset, c.end_offset, c.text, c.headings,
       c.page, d.kind, d.title, d.trust, d.language, d.source, d.failure_classes,
       d.related_scripts
FROM chunks AS c
JOIN documents AS d USING (document_id, version)
WHERE c.chunk_id = ANY (%(chunk_ids)s::text[]);

-- name: list_centroids
-- The mean vectors of documents.
SELECT document_id, centroid::text AS centroid
FROM document_vectors
WHERE index_id = %(index_id)s AND document_id = ANY (%(document_ids)s::text[]);
