-- SPDX-License-Identifier: Apache-2.0

-- name: list_corrections
-- What was learnt since a model was promoted, by event.
SELECT event, weights, n_labels FROM online_corrections
WHERE model_digest = %(model_digest)s ORDER BY event;

-- name: find_label
-- A label with its proposal: the signals of the script, and whether it was replaced by itself.
SELECT l.kind, l.label, l.actor, p.proposal_id, p.correlation_id, p.status, p.target_device_id,
       (SELECT c.value -> 'signals' FROM jsonb_array_elements(p.candidates) AS c
        WHERE c.value ->> 'script_id' = p.script_id LIMIT 1) AS signals,
       EXISTS (
           SELECT FROM proposals AS r
           WHERE r.parent_proposal_id = p.proposal_id AND r.script_id = p.script_id
       ) AS same_script
FROM labels AS l
JOIN proposals AS p USING (proposal_id)
WHERE l.label_id = %(label_id)s;

-- name: insert_lesson
-- Notes that a label is learnt; no row where it was before.
INSERT INTO online_lessons (label_id, model_digest, event, happened, learnt_at)
VALUES (%(label_id)s, %(model_digest)s, %(event)s, %(happened)s, %(now)s)
ON CONFLICT (label_id) DO NOTHING;

-- name: begin_correction
-- The first label of a model and event finds no memory: an empty one.
INSERT INTO online_corrections (model_digest, event, weights, n_labels, updated_at)
VALUES (%(model_digest)s, %(event)s, '{}', 0, %(now)s)
ON CONFLICT (model_digest, event) DO NOTHING;

-- name: lock_correction
-- The memory of a model and event, held until the transaction ends.
SELECT weights FROM online_corrections
WHERE model_digest = %(model_digest)s AND event = %(event)s FOR UPDATE;

-- name: find_influence
-- What one witness has contributed to it.
SELECT weights FROM online_influences
WHERE model_digest = %(model_digest)s AND event = %(event)s AND witness = %(witness)s;

-- name: store_correction
-- Keeps the memory after one more label.
UPDATE online_corrections
SET weights = %(weights)s, n_labels = n_labels + 1, updated_at = %(now)s
WHERE model_digest = %(model_digest)s AND event = %(event)s;

-- name: store_influence
-- Keeps what a witness has contributed after one more label.
INSERT INTO online_influences (model_digest, event, witness, weights, n_labels)
VALUES (%(model_digest)s, %(event)s, %(witness)s, %(weights)s, 1)
ON CONFLICT (model_digest, event, witness) DO UPDATE
SET weights = excluded.weights, n_labels = online_influences.n_labels + 1;
