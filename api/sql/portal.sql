-- SPDX-License-Identifier: Apache-2.0

-- name: list_queue
-- Proposals with their incidents, those that wait for a person first.
SELECT p.proposal_id, p.status, p.diagnosis, p.script_id, p.script_version, p.confidence,
       p.risk_score, p.created_at, p.expires_at, p.abstention_reason,
       p.parent_proposal_id, i.incident_id, i.title, i.severity,
       i.status AS incident_status, i.device_id, d.hostname
FROM proposals AS p
JOIN incidents AS i USING (incident_id)
LEFT JOIN devices AS d ON d.device_id = i.device_id
ORDER BY (p.status = 'pending') DESC, i.severity, p.created_at DESC
LIMIT 200;

-- name: count_by_status
-- How many incidents are in each state.
SELECT status, count(*) AS n_incidents FROM incidents GROUP BY status ORDER BY status;

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

-- name: list_incidents
-- The newest incidents.
SELECT i.incident_id, i.title, i.severity, i.status, i.failure_class, i.source, i.occurrences,
       i.opened_at, i.device_id, d.hostname
FROM incidents AS i
LEFT JOIN devices AS d USING (device_id)
WHERE %(status)s::text IS NULL OR i.status = %(status)s::text
ORDER BY i.opened_at DESC
LIMIT 200;

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

-- name: find_proposal_of_bundle
-- The proposal that a statement is about.
SELECT proposal_id FROM evidence_bundles WHERE bundle_digest = %(bundle_digest)s;
