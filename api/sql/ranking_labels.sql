-- SPDX-License-Identifier: Apache-2.0

-- name: find_replacement
-- The proposal that took an overridden one's place.
SELECT script_id
FROM proposals
WHERE parent_proposal_id = %(proposal_id)s
ORDER BY created_at DESC
LIMIT 1;

-- name: withdraw_lessons
-- Forgets what an incident taught before of documents, in the same way.
DELETE FROM search_labels
WHERE actor = %(actor)s AND origin = %(origin)s
  AND document_id = ANY (%(document_ids)s::text[]);

-- name: lock_incident
-- Makes those who learn from the same incident take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(%(actor)s::text, 0));
