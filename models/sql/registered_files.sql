-- SPDX-License-Identifier: Apache-2.0
-- name: find_by_alias
-- The version of a model that carries an alias, in MLflow's tables, with the digest we tagged it by.
SELECT v.name, v.version::text AS version, v.source, t.value AS digest
FROM registered_model_aliases AS a
JOIN model_versions AS v USING (workspace, name, version)
JOIN model_version_tags AS t USING (workspace, name, version)
WHERE a.name = %(name)s AND a.alias = %(alias)s AND t.key = %(tag)s
  AND v.current_stage <> 'Deleted_Internal';

-- name: find_by_number
-- A version of a model by its number, in MLflow's tables, with the digest we tagged it by.
SELECT v.name, v.version::text AS version, v.source, t.value AS digest
FROM model_versions AS v
JOIN model_version_tags AS t USING (workspace, name, version)
WHERE v.name = %(name)s AND v.version::text = %(version)s AND t.key = %(tag)s
  AND v.current_stage <> 'Deleted_Internal';

-- name: list_versions
-- The versions of one model or of all, in MLflow's tables, with aliases, tags and last figures.
SELECT v.name, v.version::text AS version, v.creation_time AS created_milliseconds,
       ARRAY(
           SELECT a.alias::text FROM registered_model_aliases AS a
           WHERE (a.workspace, a.name, a.version) = (v.workspace, v.name, v.version)
           ORDER BY 1
       ) AS aliases,
       (
           SELECT coalesce(jsonb_object_agg(t.key, t.value), '{}') FROM model_version_tags AS t
           WHERE (t.workspace, t.name, t.version) = (v.workspace, v.name, v.version)
       ) AS tags,
       (
           SELECT coalesce(jsonb_object_agg(m.key, CASE WHEN NOT m.is_nan THEN m.value END), '{}')
           FROM latest_metrics AS m
           WHERE m.run_uuid = v.run_id
       ) AS metrics
FROM model_versions AS v
WHERE (%(name)s::text IS NULL OR v.name = %(name)s) AND v.current_stage <> 'Deleted_Internal';

-- name: find_evaluation
-- Where a version's training has put its files, in MLflow's tables, with the digests we tagged.
SELECT r.artifact_uri AS source, t.value AS digests
FROM model_versions AS v
JOIN model_version_tags AS t USING (workspace, name, version)
JOIN runs AS r ON r.run_uuid = v.run_id
WHERE v.name = %(name)s AND v.version::text = %(version)s AND t.key = %(tag)s
  AND v.current_stage <> 'Deleted_Internal';

-- name: has_tables
-- Whether MLflow has made its tables, of which this one says in which layout.
SELECT to_regclass('alembic_version') IS NOT NULL AS made;
