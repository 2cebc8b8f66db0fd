-- SPDX-License-Identifier: Apache-2.0

-- name: lock_episodes
-- One transaction at a time finds the episode of its alarms, or opens one.
SELECT pg_advisory_xact_lock(%(lock_key)s);

-- name: find_open_episode
-- The latest episode that began together with a change, or that the same series is already in.
SELECT e.episode_id
FROM drift_episodes AS e
WHERE e.updated_at > %(not_before)s
  AND ((e.began_earliest <= %(latest)s AND e.began_latest >= %(earliest)s)
       OR EXISTS (
            SELECT 1 FROM drift_alarms AS a
            WHERE a.episode_id = e.episode_id AND a.cohort = %(cohort)s AND a.metric = %(metric)s
              AND a.observed_at > %(burst_since)s))
ORDER BY e.opened_at DESC, e.episode_id
LIMIT 1;

-- name: insert_episode
-- Opens an episode.
INSERT INTO drift_episodes (
    episode_id, began_at, began_earliest, began_latest, opened_at, updated_at
) VALUES (
    %(episode_id)s, %(since)s, %(since_earliest)s, %(since_latest)s, %(now)s, %(now)s
);

-- name: insert_alarm
-- Keeps an alarm.
INSERT INTO drift_alarms (
    alarm_id, episode_id, cohort, metric, kind, observed_at, since, since_earliest, since_latest,
    level_before, level_after, effect, n_samples, created_at
) VALUES (
    %(alarm_id)s, %(episode_id)s, %(cohort)s, %(metric)s, %(kind)s, %(observed_at)s, %(since)s,
    %(since_earliest)s, %(since_latest)s, %(level_before)s, %(level_after)s, %(effect)s,
    %(n_samples)s, %(now)s
);

-- name: date_episode
-- An episode began when its strongest alarm of a series says; a day's difference dates little.
UPDATE drift_episodes AS e
SET began_at = strongest.since, began_earliest = strongest.since_earliest,
    began_latest = strongest.since_latest, updated_at = %(now)s
FROM (
    SELECT since, since_earliest, since_latest FROM drift_alarms
    WHERE episode_id = %(episode_id)s
    ORDER BY kind = 'distribution', abs(effect) DESC, alarm_id LIMIT 1
) AS strongest
WHERE e.episode_id = %(episode_id)s;

-- name: list_episodes
-- The newest episodes, each with its strongest alarm.
SELECT e.episode_id, e.began_at, e.began_earliest, e.began_latest, e.opened_at, e.updated_at,
       strongest.cohort, strongest.metric, strongest.kind, strongest.effect,
       counted.n_alarms, counted.n_cohorts, counted.n_metrics
FROM drift_episodes AS e
CROSS JOIN LATERAL (
    SELECT cohort, metric, kind, effect FROM drift_alarms AS a
    WHERE a.episode_id = e.episode_id ORDER BY abs(effect) DESC, alarm_id LIMIT 1
) AS strongest
CROSS JOIN LATERAL (
    SELECT count(*) AS n_alarms, count(DISTINCT cohort) AS n_cohorts,
           count(DISTINCT metric) AS n_metrics
    FROM drift_alarms AS a WHERE a.episode_id = e.episode_id
) AS counted
ORDER BY e.opened_at DESC, e.episode_id LIMIT %(limit)s;

-- name: find_episode
-- One episode.
SELECT episode_id, began_at, began_earliest, began_latest, opened_at, updated_at
FROM drift_episodes WHERE episode_id = %(episode_id)s;

-- name: list_alarms
-- The alarms of an episode, the strongest first.
SELECT alarm_id, cohort, metric, kind, observed_at, since, since_earliest, since_latest,
       level_before, level_after, effect, n_samples, created_at
FROM drift_alarms WHERE episode_id = %(episode_id)s
ORDER BY abs(effect) DESC, alarm_id LIMIT %(limit)s;

-- name: list_recent_alarms
-- The newest alarms of all episodes.
SELECT alarm_id, episode_id, cohort, metric, kind, observed_at, since, since_earliest,
       since_latest, level_before, level_after, effect, effect AS recent_mean, n_samples, created_at
FROM drift_alarms ORDER BY created_at DESC, alarm_id LIMIT %(limit)s;

-- name: list_hourly_means
-- A cohort's mean of a metric by hour, where its reports are still kept.
WITH members AS MATERIALIZED (SELECT device_id FROM device_cohorts WHERE cohort = %(cohort)s)
SELECT date_trunc('hour', r.observed_at) AS hour,
       avg((r.metrics ->> %(metric)s::text)::double precision) AS mean
FROM telemetry_reports AS r
JOIN members USING (device_id)
WHERE r.observed_at >= %(since)s AND r.observed_at < %(until)s
  AND r.metrics ? %(metric)s::text
  AND extract(minute FROM r.observed_at) < %(minutes)s
GROUP BY 1 ORDER BY 1;
