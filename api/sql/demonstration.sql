-- SPDX-License-Identifier: Apache-2.0

-- name: find_observation
-- The newest value of one metric that a device has reported since a moment.
SELECT observed_at, (metrics ->> %(metric)s)::double precision AS value
FROM telemetry_reports
WHERE device_id = %(device_id)s AND observed_at >= %(since)s AND metrics ? %(metric)s
ORDER BY observed_at DESC
LIMIT 1;

-- name: find_case
-- A device's newest incident of an episode, unless it had ended before a moment, and what was
-- proposed last for it.
SELECT i.incident_id, i.status, i.title, i.opened_at, p.proposal_id, p.script_id, p.risk_score
FROM incidents AS i
LEFT JOIN LATERAL (
    SELECT proposal_id, script_id, risk_score
    FROM proposals
    WHERE incident_id = i.incident_id
    ORDER BY created_at DESC
    LIMIT 1
) AS p ON true
WHERE i.device_id = %(device_id)s
  AND i.episode_key = %(episode_key)s
  AND (i.opened_at >= %(since)s OR i.status NOT IN ('resolved', 'closed', 'escalated'))
ORDER BY i.opened_at DESC
LIMIT 1;

-- name: list_shares
-- What a process got of a core in each report since a moment, null where it was not among the
-- busiest.
SELECT (metrics ->> %(metric)s)::double precision AS share
FROM telemetry_reports
WHERE device_id = %(device_id)s AND observed_at >= %(since)s
ORDER BY observed_at
LIMIT 1000;
