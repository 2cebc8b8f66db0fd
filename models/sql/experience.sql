-- SPDX-License-Identifier: Apache-2.0

-- name: list_settled
-- Proposals whose end is known, the newest first: opposed by people, held or failed by telemetry.
SELECT p.script_id, p.candidates,
       bool_or(l.kind = 'decision' AND l.label IN ('reject', 'override')) AS opposed,
       bool_or(l.kind = 'outcome' AND l.label = 'succeeded') AS held,
       bool_or(l.kind = 'outcome' AND l.label = 'failed') AS failed
FROM labels AS l
JOIN proposals AS p USING (proposal_id)
WHERE p.script_id IS NOT NULL
GROUP BY p.proposal_id, p.script_id, p.candidates, p.created_at
HAVING bool_or(l.kind = 'decision' AND l.label IN ('reject', 'override'))
    OR bool_or(l.kind = 'outcome' AND l.label IN ('succeeded', 'failed'))
ORDER BY p.created_at DESC, p.proposal_id
LIMIT %(limit)s;

-- name: count_labels
-- Labels by kind and word.
SELECT kind, label, count(*) AS n_labels FROM labels GROUP BY kind, label ORDER BY kind, label;
