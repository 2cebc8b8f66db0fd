-- SPDX-License-Identifier: Apache-2.0
-- Which devices are judged together: those of an operating system, a role and a model, by one rule
-- for the detector, for drift and for what is shown of it.

CREATE INDEX devices_alike ON devices (os_family, role, model) WHERE status = 'active';

-- Each device's cohort, 'os_family:model:role'. Models and roles are free text that a device may
-- invent, so each counts in the name only if enough devices share it: five that are active, or three
-- while the cohort is one that is known, so that one device more or less moves nobody. `fallen` names
-- known cohorts of the device's kind that are no longer shared. No more than 2,000 are known.
CREATE VIEW device_cohorts AS
SELECT d.device_id,
       CASE
           WHEN of_model.n >= of_model.least THEN of_model.cohort
           WHEN of_role.n >= of_role.least THEN of_role.cohort
           ELSE d.os_family || '::'
       END AS cohort,
       array_remove(ARRAY[
           CASE WHEN of_model.least = 3 AND of_model.n < 3 THEN of_model.cohort END,
           CASE WHEN of_role.least = 3 AND of_role.n < 3 THEN of_role.cohort END
       ], NULL) AS fallen
FROM devices AS d
CROSS JOIN LATERAL (
    SELECT replace(left(d.model, 64), ':', '_') AS model, replace(left(d.role, 64), ':', '_') AS role
) AS named
CROSS JOIN LATERAL (
    SELECT d.os_family || ':' || named.model || ':' || named.role AS cohort,
           CASE
               WHEN d.model = '' THEN NULL
               WHEN EXISTS (
                   SELECT FROM detector_cohorts AS known
                   WHERE known.cohort = d.os_family || ':' || named.model || ':' || named.role
               ) THEN 3
               WHEN (SELECT count(*) FROM detector_cohorts) < 2000 THEN 5
           END AS least,
           (SELECT count(*) FROM (
               SELECT FROM devices AS o
               WHERE o.os_family = d.os_family AND o.role = d.role AND o.model = d.model
                   AND o.status = 'active'
               LIMIT 5
           ) AS alike) AS n
) AS of_model
CROSS JOIN LATERAL (
    SELECT d.os_family || '::' || named.role AS cohort,
           CASE
               WHEN d.role = '' THEN NULL
               WHEN EXISTS (
                   SELECT FROM detector_cohorts AS known
                   WHERE known.cohort = d.os_family || '::' || named.role
               ) THEN 3
               WHEN (SELECT count(*) FROM detector_cohorts) < 2000 THEN 5
           END AS least,
           (SELECT count(*) FROM (
               SELECT FROM devices AS o
               WHERE o.os_family = d.os_family AND o.role = d.role AND o.status = 'active'
               LIMIT 5
           ) AS alike) AS n
) AS of_role;

-- Features were compared by operating system and model alone: these references fit no cohort.
DELETE FROM drift_references;

-- Episodes of devices, each with the incident that its device has of its own.
CREATE VIEW standing_episodes AS
SELECT e.episode_id, e.device_id, e.episode_key, e.failure_class, e.severity, e.entity, e.symptoms,
       e.observed_at, e.ended_at, d.business_critical, d.status AS device_status,
       own.incident_id AS own_id, own.status AS own_status
FROM device_episodes AS e
JOIN devices AS d USING (device_id)
LEFT JOIN LATERAL (
    SELECT incident_id, status FROM incidents
    WHERE device_id = e.device_id AND episode_key = e.episode_key
        AND status NOT IN ('resolved', 'closed')
    ORDER BY opened_at DESC, incident_id DESC LIMIT 1
) AS own ON true;
