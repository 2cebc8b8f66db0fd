-- SPDX-License-Identifier: Apache-2.0

-- name: list_reports
-- All stored reports by device and time, with their flat metrics.
SELECT device_id, observed_at, metrics FROM telemetry_reports ORDER BY device_id, observed_at;
