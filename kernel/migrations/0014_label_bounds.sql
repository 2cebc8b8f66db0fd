-- SPDX-License-Identifier: Apache-2.0
-- One word of one actor on a document for a text, and how much of it search hears: a label that
-- nearly repeats another one of the same actor is an echo, which is kept and does not vote. Nor
-- does it stand in the graph, where many of them would crowd out what others say.
DELETE FROM search_labels AS older
USING search_labels AS newer
WHERE (older.actor, older.origin, older.document_id, older.text)
    = (newer.actor, newer.origin, newer.document_id, newer.text)
  AND (older.created_at, older.label_id) < (newer.created_at, newer.label_id);
CREATE UNIQUE INDEX search_labels_said_once
    ON search_labels (actor, origin, document_id, hashtextextended(text, 0));
CREATE INDEX search_labels_by_actor ON search_labels (actor, origin, created_at);
ALTER TABLE search_labels
    ADD COLUMN echo boolean NOT NULL DEFAULT false;
DROP INDEX search_labels_by_embedding;
CREATE INDEX search_labels_by_embedding ON search_labels USING hnsw (embedding halfvec_cosine_ops)
    WHERE label = 'helped' AND NOT echo;
