-- SPDX-License-Identifier: Apache-2.0

-- name: lock_rollup
-- Those who roll up, or count, take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(%(lock_key)s);

-- name: remember_episodes
-- Episodes that have begun. A live one of the same name is the same one while something holds it
-- open, and otherwise was left behind by an end that nobody told.
INSERT INTO device_episodes AS known (
    device_id, episode_key, failure_class, confidence, severity, title, entity, symptoms, detection,
    observed_at, recorded_at
)
SELECT g.device_id, g.episode_key, g.failure_class, g.confidence, g.severity, g.title, g.entity,
       ARRAY(SELECT jsonb_array_elements_text(g.symptoms)), g.detection, g.observed_at,
       %(now)s
FROM jsonb_to_recordset(%(episodes)s::jsonb) AS g (
    device_id text, episode_key text, failure_class text, confidence float8, severity text,
    title text, entity text, symptoms jsonb, detection jsonb, observed_at timestamptz
)
JOIN devices AS d ON d.device_id = g.device_id
ON CONFLICT (device_id, episode_key) WHERE ended_at IS NULL
DO UPDATE SET
    failure_class = EXCLUDED.failure_class, confidence = EXCLUDED.confidence,
    severity = EXCLUDED.severity, title = EXCLUDED.title, entity = EXCLUDED.entity,
    symptoms = EXCLUDED.symptoms, detection = EXCLUDED.detection,
    observed_at = EXCLUDED.observed_at
WHERE known.observed_at < EXCLUDED.observed_at
    AND NOT EXISTS (SELECT FROM incident_members AS m WHERE m.episode_id = known.episode_id)
    AND NOT EXISTS (
        SELECT FROM incidents AS i
        WHERE i.device_id = known.device_id AND i.episode_key = known.episode_key
            AND i.status NOT IN ('resolved', 'closed', 'escalated')
    );

-- name: list_live_fleets
-- Fleet incidents that have not ended, oldest first.
SELECT f.incident_id, f.symptoms, f.cohort, f.started_at, f.judged_members, f.shared,
       f.n_cohort, f.n_cohort_affected, f.n_fleet, f.n_affected, f.n_tried, f.log_common,
       f.log_burst, i.status, i.device_id,
       m.n_members, m.n_live, m.last_observed_at
FROM fleet_incidents AS f
JOIN incidents AS i USING (incident_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS n_members, count(*) FILTER (WHERE left_at IS NULL) AS n_live,
           max(e.observed_at) AS last_observed_at
    FROM incident_members JOIN device_episodes AS e USING (episode_id)
    WHERE incident_id = f.incident_id
) AS m
WHERE i.scope = 'fleet' AND i.status NOT IN ('resolved', 'closed')
ORDER BY i.opened_at, f.incident_id;

-- name: list_recent
-- Episodes of these symptoms within the window that no ended fleet incident has had, oldest first.
SELECT e.episode_id, e.device_id, e.episode_key, e.failure_class, e.severity, e.entity, e.symptoms,
       e.observed_at, e.ended_at, e.business_critical, m.incident_id AS fleet_id, m.left_at,
       e.own_id, e.own_status
FROM standing_episodes AS e
LEFT JOIN LATERAL (
    SELECT incident_id, left_at FROM incident_members
    WHERE episode_id = e.episode_id ORDER BY joined_at DESC LIMIT 1
) AS m ON true
WHERE e.observed_at > %(since)s AND e.observed_at <= %(until)s
    AND e.symptoms && %(symptoms)s::text[]
    AND e.device_status = 'active'
    AND NOT EXISTS (
        SELECT FROM incidents AS w
        WHERE w.incident_id = m.incident_id AND w.status IN ('resolved', 'closed')
    )
ORDER BY e.observed_at, e.episode_id;

-- name: find_episode
-- One episode with all that is known of it.
SELECT episode_id, device_id, episode_key, failure_class, confidence, severity, title, entity,
       detection
FROM device_episodes
WHERE episode_id = %(episode_id)s;

-- name: find_counted
-- How many devices report, by the last count.
SELECT n_devices, counted_at FROM fleet_attributes WHERE kind = '';

-- name: forget_counts
-- Before attributes are counted anew.
DELETE FROM fleet_attributes;

-- name: count_attributes
-- How many of the devices that report hold each attribute; kind '' counts them all.
INSERT INTO fleet_attributes (kind, name, version, n_devices, counted_at)
SELECT kind, name, version, count(*), %(now)s::timestamptz
FROM devices AS d
CROSS JOIN LATERAL (
    SELECT kind, name, version FROM device_attributes
    WHERE device_id = d.device_id AND (changed_at IS NULL OR changed_at > %(changed_since)s)
    OFFSET 0
) AS a
WHERE d.status = 'active' AND d.last_seen_at > %(since)s
GROUP BY kind, name, version
HAVING count(*) >= %(least)s
UNION ALL
SELECT '', '', '', count(*), %(now)s::timestamptz
FROM devices WHERE status = 'active' AND last_seen_at > %(since)s;

-- name: list_testable
-- Attributes that enough affected devices hold, and not nearly the whole fleet. Looked up device by
-- device (OFFSET keeps it so): what a plan would guess of a view over everything is far off.
WITH held AS MATERIALIZED (
    SELECT a.kind, a.name, a.version, count(*) AS n_affected
    FROM devices AS d
    CROSS JOIN LATERAL (
        SELECT kind, name, version FROM device_attributes
        WHERE device_id = d.device_id AND (changed_at IS NULL OR changed_at > %(changed_since)s)
        OFFSET 0
    ) AS a
    WHERE d.device_id = ANY(%(device_ids)s)
        AND d.status = 'active' AND d.last_seen_at > %(since)s
    GROUP BY a.kind, a.name, a.version
    HAVING count(*) >= %(least)s
)
SELECT kind, name, version, h.n_affected, coalesce(f.n_devices, 0) AS n_devices
FROM held AS h
LEFT JOIN fleet_attributes AS f USING (kind, name, version)
WHERE coalesce(f.n_devices, 0) * %(lift)s::float8 <= %(n_fleet)s::float8
ORDER BY kind, name, version;

-- name: tally_cohorts
-- Every device that reports, by the candidates it holds; with the affected, and earlier episodes.
WITH said AS (
    SELECT device_id, 0 AS mask, true AS reports, 0 AS n_episodes
    FROM devices WHERE status = 'active' AND last_seen_at > %(since)s
    UNION ALL
    SELECT a.device_id, 1 << w.bit, false, 0
    FROM unnest(%(kinds)s::text[], %(names)s::text[], %(versions)s::text[], %(bits)s::int[])
        AS w (kind, name, version, bit)
    CROSS JOIN LATERAL (
        SELECT device_id FROM device_attributes
        WHERE kind = w.kind AND name = w.name AND version = w.version
            AND (changed_at IS NULL OR changed_at > %(changed_since)s)
        OFFSET 0
    ) AS a
    UNION ALL
    SELECT device_id, 0, false, 1
    FROM device_episodes
    WHERE observed_at > %(history)s AND observed_at <= %(since)s
        AND symptoms @> ARRAY[%(symptom)s::text]
    UNION ALL
    SELECT device_id, 1 << 30, false, 0 FROM unnest(%(device_ids)s::text[]) AS g (device_id)
), known AS (
    SELECT bit_or(mask) AS mask, sum(n_episodes) AS n_episodes
    FROM said GROUP BY device_id HAVING bool_or(reports)
)
SELECT mask & ~(1 << 30) AS mask, count(*) AS n_devices,
       count(*) FILTER (WHERE mask & (1 << 30) <> 0) AS n_affected,
       sum(n_episodes)::bigint AS n_before
FROM known
GROUP BY 1;

-- name: list_holders
-- Which of these devices hold all of these attributes.
SELECT g.device_id
FROM unnest(%(device_ids)s::text[]) AS g (device_id)
CROSS JOIN LATERAL (
    SELECT kind, name, version FROM device_attributes
    WHERE device_id = g.device_id AND (changed_at IS NULL OR changed_at > %(changed_since)s)
    OFFSET 0
) AS a
JOIN unnest(%(kinds)s::text[], %(names)s::text[], %(versions)s::text[]) AS w (kind, name, version)
    USING (kind, name, version)
GROUP BY g.device_id
HAVING count(DISTINCT (kind, name, version)) = cardinality(%(kinds)s::text[]);

-- name: find_first_episode
-- Since when episodes are recorded, by our clock: ids grow with it.
SELECT recorded_at AS first_at FROM device_episodes ORDER BY episode_id LIMIT 1;

-- name: store_verdict
-- What many devices have in common.
INSERT INTO fleet_incidents (
    incident_id, symptoms, cohort, shared, n_cohort, n_cohort_affected, n_fleet, n_affected,
    n_tried, log_common, log_burst, started_at, judged_at, judged_members
) VALUES (
    %(incident_id)s, %(symptoms)s, %(cohort)s, %(shared)s, %(n_cohort)s, %(n_cohort_affected)s,
    %(n_fleet)s, %(n_affected)s, %(n_tried)s, %(log_common)s, %(log_burst)s, %(started_at)s,
    %(now)s, %(judged_members)s
)
ON CONFLICT (incident_id) DO UPDATE SET
    symptoms = EXCLUDED.symptoms, cohort = EXCLUDED.cohort, shared = EXCLUDED.shared,
    n_cohort = EXCLUDED.n_cohort, n_cohort_affected = EXCLUDED.n_cohort_affected,
    n_fleet = EXCLUDED.n_fleet, n_affected = EXCLUDED.n_affected, n_tried = EXCLUDED.n_tried,
    log_common = EXCLUDED.log_common, log_burst = EXCLUDED.log_burst,
    started_at = LEAST(fleet_incidents.started_at, EXCLUDED.started_at),
    judged_at = EXCLUDED.judged_at, judged_members = EXCLUDED.judged_members;

-- name: insert_members
-- Episodes that belong to a fleet incident.
INSERT INTO incident_members (incident_id, episode_id, joined_at)
SELECT %(incident_id)s, episode_id, %(now)s FROM unnest(%(episode_ids)s::bigint[]) AS g (episode_id)
ON CONFLICT (incident_id, episode_id) DO NOTHING;

-- name: end_episodes
-- Episodes that are over, each with the fleet incident it leaves.
WITH ended AS (
    UPDATE device_episodes AS e SET ended_at = GREATEST(e.observed_at, g.ended_at)
    FROM unnest(%(device_ids)s::text[], %(episode_keys)s::text[], %(ended)s::timestamptz[])
        AS g (device_id, episode_key, ended_at)
    WHERE e.device_id = g.device_id AND e.episode_key = g.episode_key AND e.ended_at IS NULL
    RETURNING e.episode_id, e.device_id
), gone AS (
    UPDATE incident_members AS m SET left_at = %(now)s
    FROM ended WHERE m.episode_id = ended.episode_id AND m.left_at IS NULL
    RETURNING m.incident_id, m.episode_id
)
SELECT gone.incident_id, ended.device_id FROM ended JOIN gone USING (episode_id)
ORDER BY gone.incident_id, ended.device_id;

-- name: list_departed
-- Live members whose own incident or proposal ended well, or whose device is retired.
SELECT e.device_id, e.episode_key
FROM incident_members AS m
JOIN incidents AS w USING (incident_id)
JOIN device_episodes AS e USING (episode_id)
JOIN devices AS d ON d.device_id = e.device_id
WHERE m.left_at IS NULL AND w.status NOT IN ('resolved', 'closed') AND (
    d.status <> 'active'
    OR EXISTS (
        SELECT FROM incidents AS i
        WHERE i.part_of = w.incident_id AND i.device_id = e.device_id
            AND i.episode_key = e.episode_key AND i.status IN ('resolved', 'closed')
    )
    OR EXISTS (
        SELECT FROM proposals AS p
        WHERE p.incident_id = w.incident_id AND p.target_device_id = e.device_id
            AND p.status = 'succeeded'
    )
)
ORDER BY e.device_id, e.episode_key;

-- name: release_members
-- Members of fleet incidents that a person has ended.
UPDATE incident_members AS m SET left_at = %(now)s
FROM incidents AS w
WHERE w.incident_id = m.incident_id AND m.left_at IS NULL AND w.scope = 'fleet'
    AND w.status IN ('resolved', 'closed')
RETURNING m.incident_id;

-- name: find_unsettled
-- Whether there is a fleet incident that has not ended, or an ended one with members.
SELECT EXISTS (
    SELECT FROM incidents WHERE scope = 'fleet' AND status NOT IN ('resolved', 'closed')
) OR EXISTS (SELECT FROM incident_members WHERE left_at IS NULL) AS is_unsettled;

-- name: list_recovered
-- Fleet incidents that nobody works on and no device is affected by any more.
SELECT f.incident_id
FROM fleet_incidents AS f
JOIN incidents AS i USING (incident_id)
WHERE i.scope = 'fleet' AND i.status IN ('open', 'escalated')
    AND NOT EXISTS (
        SELECT FROM incident_members AS m WHERE m.incident_id = f.incident_id AND m.left_at IS NULL
    )
ORDER BY f.incident_id;

-- name: list_live_members
-- Members that are affected still, newest first.
SELECT e.episode_id, e.device_id, e.episode_key, e.failure_class, e.severity, e.entity, e.symptoms,
       e.observed_at, e.ended_at, e.business_critical, m.incident_id AS fleet_id, m.left_at,
       e.own_id, e.own_status
FROM incident_members AS m
JOIN standing_episodes AS e USING (episode_id)
WHERE m.incident_id = %(incident_id)s AND m.left_at IS NULL
ORDER BY e.observed_at DESC, e.episode_id DESC;
