-- SPDX-License-Identifier: Apache-2.0

-- name: list_queue
-- Proposals with their incidents, those that wait for a person first. What is part of a fleet
-- incident stands with the proposal that waits there; on its own, if none does and a fix for it was
-- under way before.
SELECT p.proposal_id, p.status, p.diagnosis, p.script_id, p.script_version, p.confidence,
       p.risk_score, p.created_at, p.expires_at, p.abstention_reason,
       p.parent_proposal_id, i.incident_id, i.title, i.severity,
       i.status AS incident_status, i.device_id, d.hostname, i.part_of,
       CASE i.scope WHEN 'fleet' THEN (
           SELECT count(DISTINCT e.device_id) FROM incident_members AS m
           JOIN device_episodes AS e USING (episode_id)
           WHERE m.incident_id = i.incident_id AND m.left_at IS NULL
       ) END AS n_members
FROM proposals AS p
JOIN incidents AS i USING (incident_id)
LEFT JOIN devices AS d ON d.device_id = i.device_id
WHERE (
        i.part_of IS NULL
        OR (
            i.status IN ('proposed', 'approved', 'remediating', 'verifying')
            AND NOT EXISTS (
                SELECT FROM proposals AS o
                WHERE o.incident_id = i.part_of AND o.status = 'pending'
            )
        )
        OR NOT EXISTS (
            SELECT FROM incidents AS w
            WHERE w.incident_id = i.part_of AND w.status NOT IN ('resolved', 'closed')
        )
    )
ORDER BY (p.status = 'pending') DESC, i.severity, p.created_at DESC
LIMIT 200;

-- name: count_by_status
-- How many incidents are in each state, without the parts of fleet incidents that go on.
SELECT i.status, count(*) AS n_incidents
FROM incidents AS i
WHERE (
        i.part_of IS NULL
        OR NOT EXISTS (
            SELECT FROM incidents AS w
            WHERE w.incident_id = i.part_of AND w.status NOT IN ('resolved', 'closed')
        )
    )
GROUP BY i.status ORDER BY i.status;

-- name: measure_backlog
-- How long the oldest work waits; grows without end when no worker works.
SELECT 'log' AS name, 'Age of the oldest audit event that is not in the log yet' AS meaning,
       coalesce(extract(epoch FROM %(now)s - min(e.occurred_at)), 0)::float8 AS seconds
FROM (SELECT event_id FROM log_pending ORDER BY position LIMIT 1) AS p
JOIN audit_events AS e USING (event_id)
UNION ALL
SELECT 'outbox', 'Time since the oldest message that is due became due',
       greatest(coalesce(extract(epoch FROM %(now)s - min(available_at)), 0), 0)::float8
FROM outbox WHERE done_at IS NULL;

-- name: count_advice
-- How asking the language model ended, over all proposals whose records are kept.
SELECT output ->> 'status' AS status, count(*) AS n_answers
FROM inference_events
WHERE subject_kind = 'proposal' AND model_name = 'language_model'
GROUP BY 1 ORDER BY 1;

-- name: list_incidents
-- The newest incidents; the parts of fleet incidents that go on only if they are asked for.
SELECT i.incident_id, i.title, i.severity, i.status, i.failure_class, i.source, i.occurrences,
       i.opened_at, i.device_id, d.hostname, i.part_of,
       CASE i.scope WHEN 'fleet' THEN (
           SELECT count(DISTINCT e.device_id) FROM incident_members AS m
           JOIN device_episodes AS e USING (episode_id)
           WHERE m.incident_id = i.incident_id AND m.left_at IS NULL
       ) END AS n_members
FROM incidents AS i
LEFT JOIN devices AS d USING (device_id)
WHERE (%(status)s::text IS NULL OR i.status = %(status)s::text)
    AND (
        i.part_of IS NULL
        OR %(with_parts)s::boolean
        OR NOT EXISTS (
            SELECT FROM incidents AS w
            WHERE w.incident_id = i.part_of AND w.status NOT IN ('resolved', 'closed')
        )
    )
ORDER BY i.opened_at DESC
LIMIT 200;

-- name: count_parts
-- How many incidents, of one status or all, are parts of fleet incidents that go on.
SELECT count(*) AS n_parts
FROM incidents AS i JOIN incidents AS w ON w.incident_id = i.part_of
WHERE (%(status)s::text IS NULL OR i.status = %(status)s::text)
    AND w.status NOT IN ('resolved', 'closed');

-- name: list_part_proposals
-- Of fleet incidents: what was under way for single devices before, and is still, oldest first.
SELECT i.part_of AS whole_id, p.proposal_id, p.status, p.script_id, d.hostname
FROM proposals AS p
JOIN incidents AS i USING (incident_id)
JOIN devices AS d ON d.device_id = i.device_id
WHERE i.part_of = ANY(%(whole_ids)s::text[]) AND p.status IN ('pending', 'approved', 'dispatched')
ORDER BY p.created_at, p.proposal_id;

-- name: find_waiting_whole
-- The fleet incident that a device's incident is part of while that goes on, and what waits there.
SELECT w.incident_id, w.title, w.status, d.hostname, p.proposal_id
FROM incidents AS i
JOIN incidents AS w ON w.incident_id = i.part_of
LEFT JOIN devices AS d ON d.device_id = w.device_id
LEFT JOIN proposals AS p ON p.incident_id = w.incident_id AND p.status = 'pending'
WHERE i.incident_id = %(incident_id)s AND w.status NOT IN ('resolved', 'closed')
ORDER BY p.created_at DESC NULLS LAST
LIMIT 1;

-- name: list_incident_proposals
-- An incident's proposals, newest first.
SELECT proposal_id, status, diagnosis, script_id, script_version, confidence, risk_score,
       abstention_reason, created_at
FROM proposals
WHERE incident_id = %(incident_id)s
ORDER BY created_at DESC;

-- name: list_jobs
-- A proposal's jobs with their receipts.
SELECT job_id, kind, status, sequence, succeeded, receipt, created_at, reported_at, verified_at,
       verification
FROM jobs
WHERE proposal_id = %(proposal_id)s
ORDER BY created_at;

-- name: list_approvals
-- The decisions on a proposal.
SELECT approver, decision, reason, conditions, approval_digest, decided_at, expires_at
FROM approvals
WHERE proposal_id = %(proposal_id)s
ORDER BY decided_at;

-- name: list_account_deeds
-- Who made accounts or gave them a password, oldest first.
SELECT subject_id AS username, action, actor, occurred_at
FROM audit_events
WHERE subject_kind = 'account' AND subject_id = ANY(%(usernames)s::text[])
  AND action IN ('account.created', 'account.password_changed')
ORDER BY occurred_at, position;

-- name: list_statements
-- The signed statements about a proposal.
SELECT bundle_digest, kind, created_at
FROM evidence_bundles
WHERE proposal_id = %(proposal_id)s
ORDER BY created_at;

-- name: list_device_rows
-- Devices, those seen last first.
SELECT d.device_id, d.hostname, d.os_family, d.os_version, d.model, d.department, d.simulated,
       d.last_seen_at,
       (SELECT count(*) FROM incidents AS i
        WHERE i.device_id = d.device_id
          AND i.status NOT IN ('resolved', 'closed')) AS n_open
FROM devices AS d
ORDER BY d.last_seen_at DESC NULLS LAST
LIMIT 500;

-- name: count_devices
-- How many devices there are.
SELECT count(*) AS n_devices FROM devices;

-- name: list_inferences
-- What the models said about a subject.
SELECT model_name, model_version, model_digest, output, confidence, created_at
FROM inference_events
WHERE subject_kind = %(subject_kind)s AND subject_id = %(subject_id)s
ORDER BY created_at
LIMIT 50;

-- name: count_classes
-- Incidents by the class that people say they are, by their newest word, and by how many people.
SELECT failure_class, count(*) AS n_incidents, count(DISTINCT actor) AS n_people
FROM (
    SELECT DISTINCT ON (incident_id) failure_class, actor
    FROM incident_class_labels
    ORDER BY incident_id, position DESC
) AS newest
GROUP BY failure_class
ORDER BY n_incidents DESC, failure_class;

-- name: list_not_taken_up
-- Promotions in use that a process reported as not to be loaded, and none as loaded after that.
SELECT subject_id AS name, max(after ->> 'version') AS version,
       (array_agg(after ->> 'failure' ORDER BY position DESC))[1] AS failure,
       max(occurred_at) AS occurred_at
FROM audit_events
WHERE subject_kind = 'model' AND subject_id = ANY(%(names)s::text[])
  AND action IN ('model.not_taken_up', 'model.taken_up')
  AND evidence ->> 0 = ANY(%(bundles)s::text[])
GROUP BY subject_id
HAVING count(*) FILTER (WHERE action = 'model.not_taken_up')
     > count(*) FILTER (WHERE action = 'model.taken_up')
ORDER BY subject_id;

-- name: find_fleet
-- What is known of a fleet incident.
SELECT f.cohort, f.shared, f.symptoms, f.n_cohort, f.n_cohort_affected, f.n_fleet, f.n_affected,
       f.n_tried, f.log_common, f.log_burst, f.started_at, f.judged_at,
       count(DISTINCT e.device_id) AS n_members,
       count(DISTINCT e.device_id) FILTER (WHERE m.left_at IS NULL) AS n_live
FROM fleet_incidents AS f
LEFT JOIN incident_members AS m USING (incident_id)
LEFT JOIN device_episodes AS e USING (episode_id)
WHERE f.incident_id = %(incident_id)s
GROUP BY f.incident_id;

-- name: list_members
-- The devices of a fleet incident, those affected still first; with their own incidents, if any.
SELECT e.device_id, d.hostname, e.observed_at, m.joined_at, m.left_at, own.incident_id AS own_id,
       own.status AS own_status
FROM incident_members AS m
JOIN device_episodes AS e USING (episode_id)
JOIN devices AS d USING (device_id)
LEFT JOIN LATERAL (
    SELECT incident_id, status FROM incidents
    WHERE device_id = e.device_id AND episode_key = e.episode_key AND part_of = m.incident_id
    ORDER BY opened_at DESC, incident_id DESC LIMIT 1
) AS own ON true
WHERE m.incident_id = %(incident_id)s
ORDER BY m.left_at IS NOT NULL, own.incident_id IS NULL, e.observed_at DESC, e.episode_id
LIMIT %(limit)s;

-- name: list_member_moments
-- When episodes of a fleet incident began and ended, by the devices' time, in order.
SELECT moment, sum(change)::bigint AS change
FROM (
    SELECT e.observed_at AS moment, 1 AS change
    FROM incident_members AS m JOIN device_episodes AS e USING (episode_id)
    WHERE m.incident_id = %(incident_id)s
    UNION ALL
    SELECT coalesce(e.ended_at, m.left_at), -1
    FROM incident_members AS m JOIN device_episodes AS e USING (episode_id)
    WHERE m.incident_id = %(incident_id)s AND m.left_at IS NOT NULL
) AS changes
GROUP BY moment
ORDER BY moment;
