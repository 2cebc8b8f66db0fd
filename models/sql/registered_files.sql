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

-- name: has_tables
-- Whether MLflow has made its tables, of which this one says in which layout.
SELECT to_regclass('alembic_version') IS NOT NULL AS made;
