-- name: insert_inference
-- Records what a model answered about a subject.
INSERT INTO inference_events (
    inference_id, model_name, model_version, model_digest,
    subject_kind, subject_id, output, confidence, created_at
) VALUES (
    %(inference_id)s, %(model_name)s, %(model_version)s, %(model_digest)s,
    %(subject_kind)s, %(subject_id)s, %(output)s, %(confidence)s, %(created_at)s
);

-- name: list_inferences
-- The inferences about one subject, oldest first.
SELECT inference_id, model_name, model_version, model_digest, output, confidence, created_at
FROM inference_events
WHERE subject_kind = %(subject_kind)s AND subject_id = %(subject_id)s
ORDER BY created_at, inference_id;

-- name: list_models_used
-- The models that have answered about one subject, each version once.
SELECT DISTINCT model_name AS name, model_version AS version, model_digest AS digest
FROM inference_events
WHERE subject_kind = %(subject_kind)s AND subject_id = %(subject_id)s
ORDER BY name, version;
