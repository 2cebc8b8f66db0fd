-- SPDX-License-Identifier: Apache-2.0
-- name: find_reports
-- Stored reports by their keys, each device's in the order of its own clock.
SELECT stored.report_id, stored.device_id, stored.observed_at, stored.received_at,
    stored.metrics, stored.facts
FROM unnest(%(observed)s::timestamptz[], %(report_ids)s::text[]) AS wanted (observed_at, report_id)
JOIN telemetry_reports AS stored
  ON stored.observed_at = wanted.observed_at AND stored.report_id = wanted.report_id
ORDER BY stored.device_id, stored.observed_at, stored.report_id;

-- name: list_window
-- The reports of one device in a span of time (end excluded), oldest first.
SELECT report_id, device_id, observed_at, received_at, metrics, facts
FROM telemetry_reports
WHERE device_id = %(device_id)s
  AND observed_at >= %(since)s
  AND observed_at < %(until)s
ORDER BY observed_at, report_id;

-- name: list_windows
-- Metrics of the last reports of several devices, each up to a moment (included), oldest first.
SELECT wanted.number, last.metrics
FROM unnest(%(device_ids)s::text[], %(untils)s::timestamptz[]) WITH ORDINALITY
    AS wanted (device_id, until, number)
CROSS JOIN LATERAL (
    SELECT observed_at, report_id, metrics
    FROM telemetry_reports
    WHERE device_id = wanted.device_id
      AND observed_at > wanted.until - %(span)s::interval AND observed_at <= wanted.until
    ORDER BY observed_at DESC, report_id DESC
    LIMIT %(limit)s
) AS last
ORDER BY wanted.number, last.observed_at, last.report_id;

-- name: latest_report
-- The newest report of one device that is newer than a moment.
SELECT report_id, device_id, observed_at, received_at, metrics, facts
FROM telemetry_reports
WHERE device_id = %(device_id)s AND observed_at > %(newer_than)s
ORDER BY observed_at DESC, report_id DESC
LIMIT 1;
