-- SPDX-License-Identifier: Apache-2.0

-- name: count_outcomes
-- Endings of the newest labels of each script by nearness to a case; of each witness only so many.
WITH newest AS (
    SELECT w.script_id, w.version, l.kind, l.label, l.actor, l.proposal_id, l.created_at
    FROM unnest(%(script_ids)s::text[], %(versions)s::text[]) AS w (script_id, version)
    CROSS JOIN LATERAL (
        SELECT kind, label, actor, proposal_id, created_at
        FROM labels WHERE script_id = w.script_id
        ORDER BY created_at DESC LIMIT %(window)s
    ) AS l
), endings AS (
    SELECT n.script_id, n.created_at,
           CASE
               WHEN n.label = 'succeeded' OR n.label = 'failed' THEN n.label
               WHEN n.label = 'approve' THEN 'approved'
               WHEN n.label = 'reject' THEN 'rejected'
               WHEN n.label = 'override' AND NOT EXISTS (
                   SELECT FROM proposals AS r
                   WHERE r.parent_proposal_id = p.proposal_id AND r.script_id = p.script_id
               ) THEN 'rejected'
           END AS ending,
           p.script_version IS NOT DISTINCT FROM n.version AS same_version,
           p.diagnosis = %(failure_class)s AS same_class,
           (d.os_family = %(os_family)s AND d.os_version = %(os_version)s) IS TRUE AS same_cohort,
           n.kind,
           CASE n.kind WHEN 'outcome' THEN p.target_device_id ELSE n.actor END AS witness
    FROM newest AS n
    JOIN proposals AS p USING (proposal_id)
    LEFT JOIN devices AS d ON d.device_id = p.target_device_id
), taking_turns AS (
    SELECT script_id, ending, same_version, same_class, same_cohort,
           row_number() OVER (
               PARTITION BY script_id, kind, witness
               ORDER BY same_version DESC, same_class DESC, same_cohort DESC, created_at DESC
           ) AS turn
    FROM endings WHERE ending IS NOT NULL
)
SELECT script_id, ending, same_version, same_class, same_cohort,
       count(*) AS n_all,
       count(*) FILTER (WHERE turn <= %(most)s) AS n_counted
FROM taking_turns
GROUP BY script_id, ending, same_version, same_class, same_cohort;
