-- SPDX-License-Identifier: Apache-2.0

-- name: lock_policies
-- Let one transaction at a time change which policy is in force, until it ends.
SELECT pg_advisory_xact_lock(1163215698);

-- name: insert_version
-- Store a signed policy version under the next number; nothing where its digest is known.
INSERT INTO policies (policy_digest, version, envelope, proposed_by, reason, created_at)
SELECT %(policy_digest)s, coalesce(max(version), 0) + 1, %(envelope)s, %(proposed_by)s, %(reason)s,
    %(created_at)s
FROM policies
ON CONFLICT (policy_digest) DO NOTHING;

-- name: find_version
-- One policy version by its digest.
SELECT policy_digest, version, envelope, proposed_by, reason, created_at
FROM policies
WHERE policy_digest = %(policy_digest)s;

-- name: find_numbered_version
-- One policy version by its number.
SELECT policy_digest, version, envelope, proposed_by, reason, created_at
FROM policies
WHERE version = %(version)s;

-- name: list_versions
-- All policy versions, the newest first.
SELECT policy_digest, version, envelope, proposed_by, reason, created_at
FROM policies
ORDER BY version DESC;

-- name: insert_activation
-- Put a policy version in force after the activation that is in force.
INSERT INTO policy_activations (activation_id, kind, policy_digest, previous_activation_id,
    proposed_by, activated_by, reason, bundle_digest, created_at)
VALUES (%(activation_id)s, %(kind)s, %(policy_digest)s, %(previous_activation_id)s,
    %(proposed_by)s, %(activated_by)s, %(reason)s, %(bundle_digest)s, %(created_at)s);

-- name: find_active
-- What is in force: the newest activation, which no other one names as the one before it. The order
-- of rows is not sealed, what each names is.
SELECT activation_id, kind, policy_digest, previous_activation_id, proposed_by, activated_by,
    reason, bundle_digest, created_at
FROM policy_activations a
WHERE NOT EXISTS (
    SELECT FROM policy_activations s WHERE s.previous_activation_id = a.activation_id)
ORDER BY position DESC
LIMIT 1;

-- name: find_activation
-- One activation.
SELECT activation_id, kind, policy_digest, previous_activation_id, proposed_by, activated_by,
    reason, bundle_digest, created_at
FROM policy_activations
WHERE activation_id = %(activation_id)s;

-- name: list_activations
-- Which versions were in force, the newest first.
SELECT activation_id, kind, policy_digest, previous_activation_id, proposed_by, activated_by,
    reason, bundle_digest, created_at
FROM policy_activations
ORDER BY position DESC
LIMIT %(limit)s;

-- name: list_unlogged
-- Activations that only the audit log has, or only the database; that the log has more than once; that
-- come after one in the database and before it in the log. None, unless somebody changed rows.
WITH logged AS (
    SELECT subject_id AS activation_id, evidence ->> 0 AS bundle_digest, position
    FROM audit_events
    WHERE subject_kind = 'policy' AND action = ANY(%(actions)s::text[])
), ordered AS (
    SELECT a.activation_id, min(l.position) AS position,
        lag(min(l.position)) OVER (ORDER BY a.position) AS earlier
    FROM policy_activations a
    JOIN logged l USING (activation_id)
    GROUP BY a.activation_id, a.position
)
SELECT activation_id, 'missing' AS difference
FROM logged
WHERE NOT EXISTS (
    SELECT FROM policy_activations a
    WHERE a.activation_id = logged.activation_id AND a.bundle_digest = logged.bundle_digest)
UNION ALL
SELECT a.activation_id, 'unlogged'
FROM policy_activations a
WHERE NOT EXISTS (SELECT FROM logged l WHERE l.activation_id = a.activation_id)
UNION ALL
SELECT activation_id, 'twice'
FROM logged
GROUP BY activation_id
HAVING count(*) > 1
UNION ALL
SELECT activation_id, 'order'
FROM ordered
WHERE position < earlier
ORDER BY 1;

-- name: insert_change
-- Store that a person wants a version put in force, against what is.
INSERT INTO policy_changes (change_id, kind, policy_digest, against, proposed_by, reason,
    created_at)
VALUES (%(change_id)s, %(kind)s, %(policy_digest)s, %(against)s, %(proposed_by)s, %(reason)s,
    %(created_at)s);

-- name: find_change
-- One change by its id.
SELECT change_id, kind, policy_digest, against, proposed_by, reason, created_at, decision,
    decided_by, decision_reason, decided_at
FROM policy_changes
WHERE change_id = %(change_id)s;

-- name: list_changes
-- Changes, those that wait for a decision first, then the newest.
SELECT change_id, kind, policy_digest, against, proposed_by, reason, created_at, decision,
    decided_by, decision_reason, decided_at
FROM policy_changes
ORDER BY decision IS NOT NULL, created_at DESC
LIMIT %(limit)s;

-- name: find_waiting_change
-- The oldest undecided change to a version against an activation.
SELECT change_id, kind, policy_digest, against, proposed_by, reason, created_at, decision,
    decided_by, decision_reason, decided_at
FROM policy_changes
WHERE decision IS NULL AND kind = %(kind)s AND policy_digest = %(policy_digest)s
  AND against = %(against)s
ORDER BY created_at
LIMIT 1;

-- name: find_active_at
-- What was in force at a moment.
SELECT activation_id, kind, policy_digest, previous_activation_id, proposed_by, activated_by,
    reason, bundle_digest, created_at
FROM policy_activations
WHERE created_at <= %(moment)s
ORDER BY position DESC
LIMIT 1;

-- name: decide_change
-- Note a person's decision on a change that nobody has decided.
UPDATE policy_changes
SET decision = %(decision)s, decided_by = %(decided_by)s, decision_reason = %(decision_reason)s,
    decided_at = %(decided_at)s
WHERE change_id = %(change_id)s AND decision IS NULL;

-- name: insert_decision
-- Keep what a policy was asked and what it answered.
INSERT INTO policy_decisions (decision, proposal_id, question, allow, requires_quorum, reasons,
    policy_digest, decided_at)
VALUES (%(decision)s, %(proposal_id)s, %(question)s, %(allow)s, %(requires_quorum)s, %(reasons)s,
    %(policy_digest)s, %(decided_at)s);

-- name: forget_decisions
-- Drop a few of the oldest decisions whose time is over, so that each new one makes room.
DELETE FROM policy_decisions
WHERE position IN (
    SELECT position FROM policy_decisions
    ORDER BY position
    LIMIT 4
    FOR UPDATE SKIP LOCKED
) AND decided_at < %(before)s;

-- name: list_decisions
-- The last decisions, the newest first; of one proposal or of all.
SELECT position, decision, proposal_id, question, allow, requires_quorum, reasons, policy_digest,
    decided_at
FROM policy_decisions
WHERE %(proposal_id)s::text IS NULL OR proposal_id = %(proposal_id)s::text
ORDER BY position DESC
LIMIT %(limit)s;
