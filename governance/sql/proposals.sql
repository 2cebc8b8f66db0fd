-- SPDX-License-Identifier: Apache-2.0
-- name: insert_proposal
-- Store a new proposal.
INSERT INTO proposals (
    proposal_id, incident_id, status, diagnosis, script_id, script_version, script_sha256,
    parameters, target_device_id, confidence, abstention_reason, explanation, candidates,
    passages, risk_score, risk_factors, policy_decision, bundle_digest, parent_proposal_id,
    requested_by, correlation_id, created_at, expires_at
) VALUES (
    %(proposal_id)s, %(incident_id)s, %(status)s, %(diagnosis)s, %(script_id)s,
    %(script_version)s, %(script_sha256)s, %(parameters)s, %(target_device_id)s, %(confidence)s,
    %(abstention_reason)s, %(explanation)s, %(candidates)s, %(passages)s, %(risk_score)s,
    %(risk_factors)s, %(policy_decision)s, %(bundle_digest)s, %(parent_proposal_id)s,
    %(requested_by)s, %(correlation_id)s, %(created_at)s, %(expires_at)s
);

-- name: find_proposal
-- One proposal by its id.
SELECT proposal_id, incident_id, status, diagnosis, script_id, script_version, script_sha256,
       parameters, target_device_id, confidence, abstention_reason, explanation, candidates,
       passages, risk_score, risk_factors, policy_decision, bundle_digest, parent_proposal_id,
       requested_by, correlation_id, created_at, expires_at
FROM proposals WHERE proposal_id = %(proposal_id)s;

-- name: lock_proposal
-- One proposal by its id, held until the transaction ends.
SELECT proposal_id, incident_id, status, diagnosis, script_id, script_version, script_sha256,
       parameters, target_device_id, confidence, abstention_reason, explanation, candidates,
       passages, risk_score, risk_factors, policy_decision, bundle_digest, parent_proposal_id,
       requested_by, correlation_id, created_at, expires_at
FROM proposals WHERE proposal_id = %(proposal_id)s FOR UPDATE;

-- name: list_proposals
-- Newest proposals first, optionally of one status or one incident.
SELECT proposal_id, incident_id, status, diagnosis, script_id, script_version, script_sha256,
       parameters, target_device_id, confidence, abstention_reason, explanation, candidates,
       passages, risk_score, risk_factors, policy_decision, bundle_digest, parent_proposal_id,
       requested_by, correlation_id, created_at, expires_at
FROM proposals
WHERE (%(status)s::text IS NULL OR status = %(status)s)
  AND (%(incident_id)s::text IS NULL OR incident_id = %(incident_id)s)
ORDER BY created_at DESC, proposal_id DESC
LIMIT %(limit)s;

-- name: update_status
-- Move a proposal on, if it still has the status it is believed to have.
UPDATE proposals SET status = %(to_status)s
WHERE proposal_id = %(proposal_id)s AND status = %(from_status)s;

-- name: find_context
-- What a decision needs to know of the script and the target, from their own tables. Reporters are
-- all who opened the incident or were merged into it, and who named its class, or had a service name
-- it, before the proposal was sealed: the append-only audit trail names them. Labelling and sealing
-- hold the incident, so positions tell which was first; a clock may go back. A command's account
-- counts as the person.
SELECT s.author, s.manifest, s.analysis, s.status AS script_status, s.content_sha256,
       d.business_critical, d.status AS device_status, i.status AS incident_status,
       ARRAY(
           SELECT i.reported_by
           UNION
           SELECT a.actor FROM audit_events a
           WHERE a.subject_kind = 'incident' AND a.subject_id = i.incident_id
             AND a.action IN ('incident.opened', 'incident.merged')
           UNION
           SELECT regexp_replace(named.who, '^cli:', 'user:')
           FROM audit_events l
           CROSS JOIN LATERAL (VALUES (l.actor), (l.after ->> 'on_behalf_of')) AS named (who)
           WHERE l.subject_kind = 'incident' AND l.subject_id = i.incident_id
             AND l.action = 'incident.class_labelled' AND named.who IS NOT NULL
             AND NOT EXISTS (
                 SELECT FROM audit_events e
                 WHERE e.subject_kind = 'proposal' AND e.subject_id = p.proposal_id
                   AND e.action = 'proposal.sealed' AND e.position < l.position
             )
           ORDER BY 1
       ) AS reporters
FROM proposals p
JOIN incidents i USING (incident_id)
JOIN scripts s ON s.script_id = p.script_id AND s.version = p.script_version
JOIN devices d ON d.device_id = p.target_device_id
WHERE p.proposal_id = %(proposal_id)s;

-- name: list_due
-- Proposals whose time is over: undecided, or approved and never dispatched.
SELECT proposal_id FROM proposals p
WHERE (p.status = 'pending' AND p.expires_at <= %(now)s)
   OR (p.status = 'approved' AND (
          SELECT min(a.expires_at) FROM approvals a
          WHERE a.proposal_id = p.proposal_id AND a.decision = 'approve') <= %(now)s)
ORDER BY proposal_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;
