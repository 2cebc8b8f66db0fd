-- SPDX-License-Identifier: Apache-2.0

-- name: list_lessons
-- The newest labels that a recommender learnt, with what they taught, the newest first.
SELECT o.model_digest, o.event, o.happened, o.learnt_at, l.actor, p.proposal_id, p.target_device_id,
       (SELECT c.value -> 'signals' FROM jsonb_array_elements(p.candidates) AS c
        WHERE c.value ->> 'script_id' = p.script_id LIMIT 1) AS signals
FROM (
    SELECT label_id, model_digest, event, happened, learnt_at FROM online_lessons
    ORDER BY learnt_at DESC, label_id DESC LIMIT %(limit)s
) AS o
JOIN labels AS l USING (label_id)
JOIN proposals AS p USING (proposal_id)
ORDER BY o.learnt_at DESC, o.label_id DESC;
