-- SPDX-License-Identifier: Apache-2.0

-- name: insert_proposal
-- Proposes to retrain a model, unless that is proposed of this episode already, whatever came of
-- it, or somebody has yet to decide on another, or to carry it out.
INSERT INTO retraining_proposals (
    proposal_id, model_name, episode_id, status, reason, training_data, created_at
)
SELECT %(proposal_id)s, %(model_name)s, %(episode_id)s, 'pending', %(reason)s, %(training_data)s,
       %(now)s
WHERE NOT EXISTS (
    SELECT FROM retraining_proposals
    WHERE episode_id = %(episode_id)s AND model_name = %(model_name)s
)
ON CONFLICT (model_name) WHERE status IN ('pending', 'accepted') DO NOTHING
RETURNING proposal_id;

-- name: count_experience
-- Labels of people and of verified outcomes, all and since a moment.
SELECT count(*) AS n_labels, count(*) FILTER (WHERE created_at >= %(since)s) AS n_since
FROM labels;

-- name: count_reports
-- How many devices have reported since a moment.
SELECT count(*) AS n_devices FROM devices WHERE last_seen_at >= %(since)s;

-- name: lock_proposal
-- One proposal, which nobody else may decide on meanwhile.
SELECT proposal_id, model_name, episode_id, status, reason, training_data, created_at, decided_at,
       decided_by, decision_reason, model_version
FROM retraining_proposals WHERE proposal_id = %(proposal_id)s FOR UPDATE;

-- name: decide
-- Keeps a person's decision.
UPDATE retraining_proposals
SET status = %(status)s, decided_at = %(now)s, decided_by = %(actor)s,
    decision_reason = %(decision_reason)s
WHERE proposal_id = %(proposal_id)s;

-- name: complete
-- What was accepted is done: a version was trained.
UPDATE retraining_proposals SET status = 'done', model_version = %(model_version)s
WHERE proposal_id = %(proposal_id)s;

-- name: list_proposals
-- Proposals, those to decide on first, then the newest.
SELECT proposal_id, model_name, episode_id, status, reason, training_data, created_at, decided_at,
       decided_by, decision_reason, model_version
FROM retraining_proposals
WHERE %(episode_id)s::text IS NULL OR episode_id = %(episode_id)s
ORDER BY status <> 'pending', status <> 'accepted', created_at DESC, proposal_id
LIMIT %(limit)s;
