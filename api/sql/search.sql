-- SPDX-License-Identifier: Apache-2.0

-- name: list_readable_documents
-- The documents in force that a reader may see, with the number of all of them.
SELECT document_id, version, kind, title, platforms, failure_classes, trust, source,
       count(*) OVER () AS n_documents
FROM documents
WHERE retired_at IS NULL
  AND (%(groups)s::text[] IS NULL OR access_groups = '{}' OR access_groups && %(groups)s::text[])
ORDER BY kind, title, document_id
LIMIT %(limit)s;

-- name: list_choices
-- What the form offers to filter by: products and languages of documents that a reader may see.
SELECT 'product' AS dimension, product AS choice
FROM documents, unnest(products) AS product
WHERE retired_at IS NULL
  AND (%(groups)s::text[] IS NULL OR access_groups = '{}' OR access_groups && %(groups)s::text[])
UNION
SELECT 'language', language
FROM documents
WHERE retired_at IS NULL AND language <> 'und'
  AND (%(groups)s::text[] IS NULL OR access_groups = '{}' OR access_groups && %(groups)s::text[])
ORDER BY dimension, choice
LIMIT 400;

-- name: find_newest_groups
-- Who may read the newest version of a document; of one out of force also who may read its source.
SELECT d.access_groups,
       CASE WHEN d.retired_at IS NULL THEN '{}'
            ELSE coalesce(s.access_groups, '{}') END AS source_groups
FROM documents AS d
LEFT JOIN document_sources AS s USING (source_id)
WHERE d.document_id = %(document_id)s
ORDER BY d.version DESC
LIMIT 1;

-- name: list_readable_ids
-- Those of some documents that are in force and that a reader may see.
SELECT document_id
FROM documents
WHERE document_id = ANY (%(document_ids)s::text[]) AND retired_at IS NULL
  AND (%(groups)s::text[] IS NULL OR access_groups = '{}' OR access_groups && %(groups)s::text[]);

-- name: list_marks
-- What somebody has said of these documents for a text.
SELECT document_id, label_id, label
FROM search_labels
WHERE document_id = ANY (%(document_ids)s::text[]) AND text = %(text)s AND actor = %(actor)s
  AND origin = %(origin)s;

-- name: count_similar_helped
-- With how many past tickets like a query each of these documents has helped.
SELECT document_id, count(DISTINCT text) AS n_tickets
FROM search_labels
WHERE label = 'helped' AND NOT echo AND model = %(model)s
  AND document_id = ANY (%(document_ids)s::text[])
  AND 1 - (embedding <=> %(embedding)s::halfvec) >= %(similarity)s
GROUP BY document_id;

-- name: count_labels
-- How many labels there are by origin and word.
SELECT origin, label, count(*) AS n_labels, count(DISTINCT text) AS n_texts,
       count(DISTINCT document_id) AS n_documents
FROM search_labels
GROUP BY origin, label
ORDER BY origin, label;

-- name: list_labels
-- The newest labels, of one document or of all.
SELECT label_id, created_at, document_id, label, origin, actor, text
FROM search_labels
WHERE %(document_id)s::text IS NULL OR document_id = %(document_id)s
ORDER BY created_at DESC, label_id DESC
LIMIT %(limit)s;
