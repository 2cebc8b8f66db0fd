-- SPDX-License-Identifier: Apache-2.0

-- name: insert_label
-- Stores what helped with a text, or did not.
INSERT INTO search_labels (label_id, text, document_id, chunk_id, label, origin, embedding, model,
                           actor, created_at)
VALUES (%(label_id)s, %(text)s, %(document_id)s, %(chunk_id)s, %(label)s, %(origin)s,
        %(embedding)s::halfvec, %(model)s, %(actor)s, %(now)s);

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
