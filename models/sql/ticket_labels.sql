-- SPDX-License-Identifier: Apache-2.0

-- name: list_labelled_tickets
-- Tickets, masked, each with the latest script that a person chose instead of ours or that telemetry
-- saw succeed, and that did not fail; the newest first.
SELECT t.incident_id, t.device_id, t.reported_by, t.title, t.description, t.failure_class,
       t.failure_classes, t.person
FROM (
    SELECT DISTINCT ON (i.incident_id)
           i.incident_id, i.device_id, i.reported_by, i.title, i.description, i.failure_class,
           s.failure_classes, p.created_at,
           CASE WHEN NOT EXISTS (
               SELECT FROM labels AS w
               WHERE w.proposal_id = p.proposal_id AND w.kind = 'outcome' AND w.label = 'succeeded'
           ) THEN p.requested_by END AS person
    FROM proposals AS p
    JOIN incidents AS i USING (incident_id)
    JOIN scripts AS s ON s.script_id = p.script_id AND s.version = p.script_version
    LEFT JOIN proposals AS q ON q.proposal_id = p.parent_proposal_id
    WHERE i.source = 'ticket'
      AND p.status <> 'rejected'
      AND NOT EXISTS (
          SELECT FROM labels AS f
          WHERE f.proposal_id = p.proposal_id AND f.kind = 'outcome' AND f.label = 'failed'
      )
      AND NOT EXISTS (
          SELECT FROM labels AS o
          WHERE o.proposal_id = p.proposal_id AND o.kind = 'decision'
            AND o.label IN ('reject', 'override')
      )
      AND (
          EXISTS (
              SELECT FROM labels AS w
              WHERE w.proposal_id = p.proposal_id AND w.kind = 'outcome' AND w.label = 'succeeded'
          )
          OR (
              q.script_id IS DISTINCT FROM p.script_id
              AND EXISTS (
                  SELECT FROM labels AS c
                  WHERE c.proposal_id = q.proposal_id AND c.kind = 'decision'
                    AND c.label = 'override'
              )
          )
      )
    ORDER BY i.incident_id, p.created_at DESC, p.proposal_id
) AS t
ORDER BY t.created_at DESC, t.incident_id
LIMIT %(limit)s;

-- name: list_stated_tickets
-- Tickets, masked, each with the latest class that a person gave it; labelled last first.
SELECT i.incident_id, i.device_id, i.reported_by, i.title, i.description, l.failure_class,
       l.actor AS person
FROM (
    SELECT DISTINCT ON (incident_id) incident_id, failure_class, actor, position
    FROM incident_class_labels
    ORDER BY incident_id, position DESC
) AS l
JOIN incidents AS i USING (incident_id)
WHERE i.source = 'ticket'
ORDER BY l.position DESC
LIMIT %(limit)s;
