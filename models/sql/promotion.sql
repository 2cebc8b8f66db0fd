-- SPDX-License-Identifier: Apache-2.0

-- name: lock_model
-- Makes promotions of one model take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('model:' || %(name)s::text, 0));
