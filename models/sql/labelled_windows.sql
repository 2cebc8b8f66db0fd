-- SPDX-License-Identifier: Apache-2.0

-- name: keep_window
-- Keep the reports that an incident was opened by; what was kept once stays.
INSERT INTO labelled_windows (incident_id, device_id, reports, kept_at)
VALUES (%(incident_id)s, %(device_id)s, %(reports)s, %(now)s)
ON CONFLICT (incident_id) DO NOTHING;

-- name: list_labelled_windows
-- Windows with the latest label of each, those labelled last first.
SELECT w.incident_id, w.device_id, w.reports, l.failure_class, l.actor
FROM labelled_windows AS w
CROSS JOIN LATERAL (
    SELECT failure_class, actor, position FROM incident_class_labels
    WHERE incident_id = w.incident_id
    ORDER BY position DESC LIMIT 1
) AS l
ORDER BY l.position DESC
LIMIT %(limit)s;
