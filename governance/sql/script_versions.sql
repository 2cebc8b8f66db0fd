-- SPDX-License-Identifier: Apache-2.0

-- name: find_version
-- A script version with all that its signed entry must equal.
SELECT script_id, version, title, author, platforms, interpreter, failure_classes, manifest,
       analysis, quality, content_sha256, status, imported_by, imported_for,
       imported_at, entry
FROM scripts
WHERE script_id = %(script_id)s AND version = %(version)s;

-- name: list_files
-- The bytes and the stated digest of each step.
SELECT step, content, sha256
FROM script_files
WHERE script_id = %(script_id)s AND version = %(version)s
ORDER BY step;

-- name: find_in_force
-- The version of a script that is in force.
SELECT version
FROM scripts
WHERE script_id = %(script_id)s AND status = 'active';

-- name: list_decisions
-- What was decided on a script's versions, the newest first.
SELECT decision_id, script_id, version, content_sha256, decision, actor, reason, bundle_digest,
       created_at
FROM script_decisions
WHERE script_id = %(script_id)s
ORDER BY position DESC;

-- name: find_decision
-- One decision.
SELECT decision_id, script_id, version, content_sha256, decision, actor, reason, bundle_digest,
       created_at
FROM script_decisions
WHERE decision_id = %(decision_id)s;

-- name: insert_decision
-- Records a decision.
INSERT INTO script_decisions (decision_id, script_id, version, content_sha256, decision, actor,
                              reason, bundle_digest, created_at)
VALUES (%(decision_id)s, %(script_id)s, %(version)s, %(content_sha256)s, %(decision)s, %(actor)s,
        %(reason)s, %(bundle_digest)s, %(created_at)s);

-- name: list_unlogged
-- Decisions that only the audit log has, or only the database; that the log has more than once; that
-- come after one in the database and before it in the log. None, unless somebody changed rows.
WITH logged AS (
    SELECT after ->> 'decision_id' AS decision_id, subject_id AS label,
        evidence ->> 0 AS bundle_digest, position
    FROM audit_events
    WHERE subject_kind = 'script' AND action = ANY(%(actions)s::text[])
), ordered AS (
    SELECT d.decision_id, d.script_id || '@' || d.version AS label, min(l.position) AS position,
        lag(min(l.position)) OVER (PARTITION BY d.script_id ORDER BY d.position) AS earlier
    FROM script_decisions d
    JOIN logged l USING (decision_id)
    GROUP BY d.decision_id, d.script_id, d.version, d.position
)
SELECT decision_id, label, 'missing' AS difference
FROM logged
WHERE NOT EXISTS (
    SELECT FROM script_decisions d
    WHERE d.decision_id = logged.decision_id AND d.bundle_digest = logged.bundle_digest
      AND d.script_id || '@' || d.version = logged.label)
UNION ALL
SELECT d.decision_id, d.script_id || '@' || d.version, 'unlogged'
FROM script_decisions d
WHERE NOT EXISTS (
    SELECT FROM logged l
    WHERE l.decision_id = d.decision_id AND split_part(l.label, '@', 1) = d.script_id)
UNION ALL
SELECT decision_id, min(label), 'twice'
FROM logged
GROUP BY decision_id
HAVING count(*) > 1
UNION ALL
SELECT decision_id, label, 'order'
FROM ordered
WHERE position < earlier
ORDER BY 2, 1;
