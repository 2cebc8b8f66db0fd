-- SPDX-License-Identifier: Apache-2.0
-- The failure class that people give incidents: what classifiers learn from beside simulation.

CREATE TABLE incident_class_labels (
    label_id        text PRIMARY KEY,
    position        bigint GENERATED ALWAYS AS IDENTITY,
    incident_id     text NOT NULL REFERENCES incidents,
    from_class      text NOT NULL,             -- as it was shown until then
    from_confidence double precision NOT NULL,
    failure_class   text NOT NULL,
    actor           text NOT NULL,
    reason          text NOT NULL,             -- masked
    created_at      timestamptz NOT NULL
);
CREATE UNIQUE INDEX incident_class_labels_by_incident
    ON incident_class_labels (incident_id, position);

-- The telemetry that the classifier saw when a labelled incident was opened: numbers only. Kept, as
-- labels are rarer than telemetry is long.
CREATE TABLE labelled_windows (
    incident_id text PRIMARY KEY REFERENCES incidents,
    device_id   text NOT NULL REFERENCES devices,
    reports     jsonb NOT NULL,                -- [{metric: number}], oldest first
    kept_at     timestamptz NOT NULL
);
