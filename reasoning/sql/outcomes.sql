-- SPDX-License-Identifier: Apache-2.0

-- name: count_outcomes
-- Past decisions and verified outcomes of each script.
SELECT script_id,
       count(*) FILTER (WHERE kind = 'outcome' AND label IN ('succeeded', 'not_needed')) AS n_succeeded,
       count(*) FILTER (WHERE kind = 'outcome' AND label = 'failed') AS n_failed,
       count(*) FILTER (WHERE kind = 'decision' AND label = 'approve') AS n_approved,
       count(*) FILTER (WHERE kind = 'decision' AND label IN ('reject', 'override')) AS n_rejected
FROM labels
WHERE script_id = ANY (%(script_ids)s)
GROUP BY script_id;
