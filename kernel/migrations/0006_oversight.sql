-- SPDX-License-Identifier: Apache-2.0
-- Oversight: why an exception was granted, drift of the world under the models.
ALTER TABLE risk_exceptions
    ADD COLUMN reason     text NOT NULL DEFAULT '',
    ADD COLUMN granted_at timestamptz;
CREATE INDEX risk_exceptions_by_proposal ON risk_exceptions (proposal_id);

-- What drift monitors have not looked at yet.
ALTER TABLE inference_events ADD COLUMN watched_at timestamptz;
CREATE INDEX inference_events_unwatched ON inference_events (created_at) WHERE watched_at IS NULL;
ALTER TABLE labels ADD COLUMN watched_at timestamptz;
CREATE INDEX labels_unwatched ON labels (created_at) WHERE watched_at IS NULL;

-- Sums of a cohort's reports in a minute that is not over yet.
CREATE TABLE drift_minutes (
    cohort    text NOT NULL,
    minute    timestamptz NOT NULL,
    metric    text NOT NULL,
    total     double precision NOT NULL,
    n_reports bigint NOT NULL,
    PRIMARY KEY (cohort, minute, metric)
);

-- The memory of one monitored series (MessagePack of plain numbers).
CREATE TABLE drift_series (
    cohort     text NOT NULL,
    metric     text NOT NULL,
    state      bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (cohort, metric)
);

CREATE TABLE drift_alarms (
    alarm_id    text PRIMARY KEY,
    cohort      text NOT NULL,
    metric      text NOT NULL,
    observed_at timestamptz NOT NULL,    -- of the sample that gave it away
    recent_mean double precision NOT NULL, -- of whitened residuals, in standard deviations
    n_samples   bigint NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX drift_alarms_recent ON drift_alarms (created_at DESC);
