-- SPDX-License-Identifier: Apache-2.0

-- name: begin_day
-- Marks a day as compared; no row where another worker has.
INSERT INTO drift_days (day, compared_at) VALUES (%(day)s, %(now)s)
ON CONFLICT (day) DO NOTHING RETURNING day;

-- name: end_day
-- Notes how many features of cohorts were compared.
UPDATE drift_days SET n_compared = %(n_compared)s WHERE day = %(day)s;

-- name: sample_day
-- Mean of each metric of each device over some minutes of a day, by cohort; of large cohorts some devices.
WITH sampled AS (
    SELECT r.device_id, wanted.metric,
           avg((r.metrics ->> wanted.metric)::double precision) AS value
    FROM unnest(%(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS span (starts_at, ends_at)
    JOIN telemetry_reports AS r
      ON r.observed_at >= span.starts_at AND r.observed_at < span.ends_at
    CROSS JOIN unnest(%(metrics)s::text[]) AS wanted (metric)
    WHERE r.metrics ? wanted.metric
    GROUP BY r.device_id, wanted.metric
), members AS MATERIALIZED (
    SELECT device_id, cohort FROM device_cohorts
), numbered AS (
    SELECT d.cohort, s.metric, s.value,
           row_number() OVER (PARTITION BY d.cohort, s.metric ORDER BY md5(s.device_id)) AS place
    FROM sampled AS s
    JOIN members AS d USING (device_id)
)
SELECT cohort, metric, array_agg(value) AS values
FROM numbered WHERE place <= %(most_devices)s
GROUP BY cohort, metric ORDER BY cohort, metric;

-- name: find_references
-- The references of a class of days.
SELECT cohort, metric, model_version, day, edges, counts, median
FROM drift_references WHERE day_class = %(day_class)s;

-- name: store_reference
-- Keeps what a feature is compared with from now on.
INSERT INTO drift_references (
    cohort, metric, day_class, model_version, day, edges, counts, median
) VALUES (
    %(cohort)s, %(metric)s, %(day_class)s, %(model_version)s, %(day)s, %(edges)s, %(counts)s,
    %(median)s
)
ON CONFLICT (cohort, metric, day_class) DO UPDATE
SET model_version = excluded.model_version, day = excluded.day, edges = excluded.edges,
    counts = excluded.counts, median = excluded.median;
