-- SPDX-License-Identifier: Apache-2.0

-- name: keep_window
-- Keep the reports that an incident was opened by; what was kept once stays.
INSERT INTO labelled_windows (incident_id, device_id, reports, kept_at)
VALUES (%(incident_id)s, %(device_id)s, %(reports)s, %(now)s)
ON CONFLICT (incident_id) DO NOTHING;

-- name: list_labelled_windows
-- Windows with the latest label of each, those labelled last first; a label is proved where a fix for
-- that very class was approved, and telemetry verified it.
WITH proved AS (
    SELECT DISTINCT p.incident_id, p.diagnosis
    FROM proposals AS p
    JOIN scripts AS s ON s.script_id = p.script_id AND s.version = p.script_version
    WHERE p.diagnosis = ANY (s.failure_classes)
      AND EXISTS (
          SELECT FROM labels AS d
          WHERE d.proposal_id = p.proposal_id AND d.kind = 'decision' AND d.label = 'approve'
      )
      AND EXISTS (
          SELECT FROM labels AS w
          WHERE w.proposal_id = p.proposal_id AND w.kind = 'outcome' AND w.label = 'succeeded'
      )
      AND NOT EXISTS (
          SELECT FROM labels AS f
          WHERE f.proposal_id = p.proposal_id AND f.kind = 'outcome' AND f.label = 'failed'
      )
)
SELECT w.incident_id, w.device_id, w.reports, l.failure_class, l.actor,
       v.incident_id IS NOT NULL AS is_proved
FROM labelled_windows AS w
CROSS JOIN LATERAL (
    SELECT failure_class, actor, position FROM incident_class_labels
    WHERE incident_id = w.incident_id
    ORDER BY position DESC LIMIT 1
) AS l
LEFT JOIN proved AS v ON v.incident_id = w.incident_id AND v.diagnosis = l.failure_class
ORDER BY l.position DESC
LIMIT %(limit)s;
