-- SPDX-License-Identifier: Apache-2.0

-- name: lock_labels
-- Makes those who store one actor's labels take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('labels:' || %(actor)s::text, 0));

-- name: insert_label
-- Stores what helped with a text, or did not; the same actor's newest word on it counts. Past
-- tickets that nearly repeat what the actor has brought for the document are echoes.
INSERT INTO search_labels (label_id, text, document_id, chunk_id, label, origin, embedding, model,
                           actor, created_at, echo)
VALUES (%(label_id)s, %(text)s, %(document_id)s, %(chunk_id)s, %(label)s, %(origin)s,
        %(embedding)s::halfvec, %(model)s, %(actor)s, %(now)s,
        %(origin)s::text = 'import' AND EXISTS (
            SELECT 1
            FROM search_labels
            WHERE document_id = %(document_id)s AND actor = %(actor)s AND origin = 'import'
              AND label = %(label)s AND model = %(model)s AND NOT echo AND text <> %(text)s
              AND 1 - (embedding <=> %(embedding)s::halfvec) >= %(echo_similarity)s
        ))
ON CONFLICT (actor, origin, document_id, hashtextextended(text, 0)) DO UPDATE
SET label_id = excluded.label_id, text = excluded.text, chunk_id = excluded.chunk_id,
    label = excluded.label, embedding = excluded.embedding, model = excluded.model,
    created_at = excluded.created_at, echo = excluded.echo;

-- name: count_brought
-- How many labels of an origin somebody has brought since a moment.
SELECT count(*) AS n_labels
FROM search_labels
WHERE actor = %(actor)s AND origin = %(origin)s AND created_at > %(since)s;

-- name: list_answered
-- Texts with a document that helped with them, the newest first.
SELECT text, document_id
FROM search_labels
WHERE label = 'helped'
ORDER BY created_at DESC, label_id DESC
LIMIT %(limit)s;

-- name: withdraw_labels
-- Forgets what somebody said before of a document for a text.
DELETE FROM search_labels
WHERE text = %(text)s AND document_id = %(document_id)s AND actor = %(actor)s
  AND origin = %(origin)s;
