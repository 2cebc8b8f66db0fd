-- SPDX-License-Identifier: Apache-2.0

-- name: lock_model
-- Makes promotions of one model take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('model:' || %(name)s::text, 0));

-- name: insert_promotion
-- Records which version is in use from now on.
INSERT INTO model_promotions (
    promotion_id, model_name, version, digest, previous_version, previous_digest,
    kind, verdict, actor, reason, bundle_digest, created_at,
    previous_promotion_id, restored_promotion_id
) VALUES (
    %(promotion_id)s, %(name)s, %(version)s, %(digest)s, %(previous_version)s, %(previous_digest)s,
    %(kind)s, %(verdict)s, %(actor)s, %(reason)s, %(bundle_digest)s, %(created_at)s,
    %(previous_id)s, %(restored_id)s
);

-- name: notify_promotion
-- A hint to running servers and workers, when the transaction commits.
SELECT pg_notify('eucora_models', %(name)s);

-- name: list_champions
-- The newest promotion of each model.
SELECT DISTINCT ON (model_name)
    promotion_id, model_name AS name, version, digest, previous_version, previous_digest,
    kind, verdict, actor, reason, bundle_digest, created_at,
    previous_promotion_id AS previous_id, restored_promotion_id AS restored_id
FROM model_promotions
ORDER BY model_name, position DESC;

-- name: list_promotions
-- The promotions of one model, or of all, the newest first.
SELECT promotion_id, model_name AS name, version, digest, previous_version, previous_digest,
       kind, verdict, actor, reason, bundle_digest, created_at,
       previous_promotion_id AS previous_id, restored_promotion_id AS restored_id
FROM model_promotions
WHERE %(name)s::text IS NULL OR model_name = %(name)s
ORDER BY position DESC
LIMIT %(limit)s;

-- name: find_promotion
-- One promotion.
SELECT promotion_id, model_name AS name, version, digest, previous_version, previous_digest,
       kind, verdict, actor, reason, bundle_digest, created_at,
       previous_promotion_id AS previous_id, restored_promotion_id AS restored_id
FROM model_promotions
WHERE promotion_id = %(promotion_id)s;
