-- SPDX-License-Identifier: Apache-2.0
-- name: insert_approval
-- Store what one person decided.
INSERT INTO approvals (
    approval_id, proposal_id, bundle_digest, approver, decision, reason, conditions,
    approval_digest, decided_at, expires_at
) VALUES (
    %(approval_id)s, %(proposal_id)s, %(bundle_digest)s, %(approver)s, %(decision)s, %(reason)s,
    %(conditions)s, %(approval_digest)s, %(decided_at)s, %(expires_at)s
);

-- name: list_approvals
-- All decisions about one proposal, oldest first.
SELECT approval_id, proposal_id, bundle_digest, approver, decision, reason, conditions,
       approval_digest, decided_at, expires_at
FROM approvals WHERE proposal_id = %(proposal_id)s
ORDER BY decided_at, approval_id;
