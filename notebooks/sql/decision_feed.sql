-- SPDX-License-Identifier: Apache-2.0

-- name: insert_devices
-- The devices of simulated cases.
INSERT INTO devices (device_id, hostname, os_family, os_version, enrolled_at)
SELECT DISTINCT c.device_id, c.device_id, 'linux', '12', timestamptz '2025-01-01'
FROM jsonb_to_recordset(%(cases)s) AS c (device_id text);

-- name: insert_incidents
-- One incident a case, settled.
INSERT INTO incidents (
    incident_id, device_id, source, failure_class, confidence, severity, status, title,
    description, episode_key, reported_by, correlation_id, opened_at, updated_at
)
SELECT c.incident_id, c.device_id, 'detection', 'disk_full', 0.9, 'S2',
       CASE WHEN c.outcome = 'succeeded' THEN 'resolved' ELSE 'escalated' END,
       'simulated case', '', c.incident_id, 'system:simulator', c.incident_id,
       c.decided_at, c.decided_at
FROM jsonb_to_recordset(%(cases)s)
    AS c (incident_id text, device_id text, outcome text, decided_at timestamptz);

-- name: insert_proposals
-- One proposal a case, with the signals that its script was chosen by.
INSERT INTO proposals (
    proposal_id, incident_id, status, diagnosis, script_id, script_version, target_device_id,
    confidence, candidates, requested_by, correlation_id, created_at, expires_at
)
SELECT c.proposal_id, c.incident_id, c.status, 'disk_full', 'simulated-script', '1.0.0',
       c.device_id, c.confidence,
       jsonb_build_array(
           jsonb_build_object('script_id', 'simulated-script', 'signals', c.signals)
       ),
       'system:simulator', c.incident_id, c.decided_at, c.decided_at + interval '1 day'
FROM jsonb_to_recordset(%(cases)s) AS c (
    proposal_id text, incident_id text, status text, device_id text,
    confidence double precision, signals jsonb, decided_at timestamptz
);

-- name: insert_labels
-- What people decided, and ten minutes after an approval what telemetry said.
INSERT INTO labels (
    label_id, incident_id, proposal_id, script_id, kind, label, actor, created_at
)
SELECT 'lbl_' || l.kind || '_' || c.proposal_id, c.incident_id, c.proposal_id,
       'simulated-script', l.kind,
       CASE WHEN l.kind = 'decision' THEN c.decision ELSE c.outcome END,
       CASE WHEN l.kind = 'decision' THEN c.approver ELSE 'system:verification' END,
       c.decided_at + CASE WHEN l.kind = 'decision' THEN interval '0' ELSE interval '10 min' END
FROM jsonb_to_recordset(%(cases)s) AS c (
    proposal_id text, incident_id text, decision text, outcome text, approver text,
    decided_at timestamptz
)
CROSS JOIN (VALUES ('decision'), ('outcome')) AS l (kind)
WHERE l.kind = 'decision' OR c.outcome <> '';

-- name: list_cases
-- Proposals with their signals, their decision and their outcome, oldest first.
SELECT p.proposal_id, p.confidence, p.candidates -> 0 -> 'signals' AS signals,
       d.label AS decision, d.actor AS approver, d.created_at AS decided_at,
       coalesce(o.label, '') AS outcome
FROM proposals AS p
JOIN labels AS d ON d.proposal_id = p.proposal_id AND d.kind = 'decision'
LEFT JOIN labels AS o ON o.proposal_id = p.proposal_id AND o.kind = 'outcome'
ORDER BY d.created_at, p.proposal_id;
