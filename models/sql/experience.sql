-- SPDX-License-Identifier: Apache-2.0

-- name: list_settled
-- Proposals of which an end is known, the newest first, with the signals that they were chosen by.
SELECT p.proposal_id, p.incident_id, p.target_device_id,
       (SELECT c.value -> 'signals' FROM jsonb_array_elements(p.candidates) AS c
        WHERE c.value ->> 'script_id' = p.script_id LIMIT 1) AS signals,
       e.opposed, e.failed, e.decider, e.decided_at, e.judged_at
FROM (
    SELECT l.proposal_id,
           bool_or(l.label <> 'approve') FILTER (WHERE l.kind = 'decision') AS opposed,
           bool_or(l.label = 'failed') FILTER (WHERE l.kind = 'outcome') AS failed,
           (array_agg(l.actor ORDER BY l.label = 'approve', l.created_at DESC)
            FILTER (WHERE l.kind = 'decision'))[1] AS decider,
           max(l.created_at) FILTER (WHERE l.kind = 'decision') AS decided_at,
           max(l.created_at) FILTER (WHERE l.kind = 'outcome') AS judged_at
    FROM labels AS l
    JOIN proposals AS q USING (proposal_id)
    WHERE q.script_id IS NOT NULL
      AND CASE
          WHEN l.label = 'approve' THEN q.status = ANY (%(carried_out)s)
          WHEN l.label = 'override' THEN NOT EXISTS (
              SELECT FROM proposals AS r
              WHERE r.parent_proposal_id = q.proposal_id AND r.script_id = q.script_id
          )
          ELSE l.label IN ('reject', 'succeeded', 'failed')
      END
    GROUP BY l.proposal_id
    ORDER BY max(l.created_at) DESC, l.proposal_id
    LIMIT %(limit)s
) AS e
JOIN proposals AS p USING (proposal_id)
ORDER BY p.proposal_id;

-- name: count_labels
-- Labels by kind and word.
SELECT kind, label, count(*) AS n_labels FROM labels GROUP BY kind, label ORDER BY kind, label;
