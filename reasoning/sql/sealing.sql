-- SPDX-License-Identifier: Apache-2.0

-- name: lock_proposal_id
-- Makes those who seal the same proposal take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended(%(proposal_id)s::text, 0));
