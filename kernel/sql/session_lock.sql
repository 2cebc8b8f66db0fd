-- SPDX-License-Identifier: Apache-2.0

-- name: try_lock
-- Takes a lock until it is given back or the session ends; says whether it was free.
SELECT pg_try_advisory_lock(hashtextextended(%(name)s::text, 0)) AS is_mine;

-- name: unlock
-- Gives a lock back.
SELECT pg_advisory_unlock(hashtextextended(%(name)s::text, 0));
