-- SPDX-License-Identifier: Apache-2.0
-- name: insert_exception
-- Grant a risk exception for one proposal.
INSERT INTO risk_exceptions (
    exception_id, proposal_id, granted_by, compensating_controls, reason, granted_at,
    expires_at
) VALUES (
    %(exception_id)s, %(proposal_id)s, %(granted_by)s, %(compensating_controls)s, %(reason)s,
    %(granted_at)s, %(expires_at)s
);

-- name: list_active
-- Unexpired exceptions of one proposal.
SELECT exception_id, proposal_id, granted_by, compensating_controls, reason, granted_at,
       expires_at
FROM risk_exceptions
WHERE proposal_id = %(proposal_id)s AND expires_at > %(now)s
ORDER BY expires_at DESC, exception_id;
