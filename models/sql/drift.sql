-- SPDX-License-Identifier: Apache-2.0

-- name: add_to_minutes
-- Adds a batch's sums to the minutes that are not over yet.
INSERT INTO drift_minutes (cohort, minute, metric, total, n_reports)
SELECT * FROM unnest(
    %(cohorts)s::text[], %(minutes)s::timestamptz[], %(metrics)s::text[],
    %(totals)s::double precision[], %(counts)s::bigint[]
)
ON CONFLICT (cohort, minute, metric) DO UPDATE
SET total = drift_minutes.total + excluded.total,
    n_reports = drift_minutes.n_reports + excluded.n_reports;

-- name: take_past_minutes
-- Takes some cohorts' minutes that are over: a later one has begun, and the next as well.
WITH newest AS (
    -- A device whose clock runs ahead must not close the minutes of its cohort.
    SELECT cohort, LEAST(max(minute), date_trunc('minute', %(now)s::timestamptz)) AS minute
    FROM drift_minutes WHERE cohort = ANY (%(cohorts)s::text[]) GROUP BY cohort
    ORDER BY min(minute), cohort LIMIT %(most_cohorts)s
)
DELETE FROM drift_minutes AS m USING newest
WHERE m.cohort = newest.cohort AND m.minute < newest.minute - interval '1 minute'
RETURNING m.cohort, m.metric, m.minute, m.total / m.n_reports AS mean;

-- name: count_series
-- How many series share the alarm budget: those that something was said of lately.
SELECT count(*) AS n_series FROM drift_series WHERE updated_at > %(since)s;

-- name: find_series
-- The memory of some series.
SELECT s.cohort, s.metric, s.state
FROM drift_series AS s
JOIN unnest(%(cohorts)s::text[], %(metrics)s::text[]) AS wanted (cohort, metric)
    USING (cohort, metric);

-- name: store_series
-- Keeps the memory of some series.
INSERT INTO drift_series (cohort, metric, state, updated_at)
SELECT kept.cohort, kept.metric, kept.state, %(now)s
FROM unnest(%(cohorts)s::text[], %(metrics)s::text[], %(states)s::bytea[])
    AS kept (cohort, metric, state)
ON CONFLICT (cohort, metric) DO UPDATE
SET state = excluded.state, updated_at = excluded.updated_at;

-- name: lock_answers
-- One worker at a time looks at models' answers and people's decisions.
SELECT pg_try_advisory_xact_lock(%(lock_key)s) AS locked;

-- name: take_answers
-- Marks models' answers that no monitor has seen, the oldest first.
UPDATE inference_events AS e SET watched_at = %(now)s
FROM (
    SELECT inference_id FROM inference_events
    WHERE watched_at IS NULL ORDER BY created_at, inference_id LIMIT %(limit)s
) AS waiting
WHERE e.inference_id = waiting.inference_id
RETURNING e.inference_id, e.model_name, e.confidence, e.created_at;

-- name: take_labels
-- Marks labels that no monitor has seen, the oldest first, with what was promised of the case: how
-- probably the chosen script works if it is approved; null where that was not kept apart.
UPDATE labels AS l SET watched_at = %(now)s
FROM (
    SELECT label_id, (
        SELECT (c.value #>> '{parts,works}')::double precision
        FROM jsonb_array_elements(p.candidates) AS c
        WHERE c.value ->> 'script_id' = p.script_id LIMIT 1
    ) AS promised
    FROM labels JOIN proposals AS p USING (proposal_id)
    WHERE watched_at IS NULL ORDER BY labels.created_at, label_id LIMIT %(limit)s
) AS waiting
WHERE l.label_id = waiting.label_id
RETURNING l.label_id, l.kind, l.label, l.created_at, waiting.promised;
