-- SPDX-License-Identifier: Apache-2.0
-- Drift that says what changed, where and since when; references of features; retraining proposals.

-- Alarms of series and features that began to differ together.
CREATE TABLE drift_episodes (
    episode_id     text PRIMARY KEY,
    began_at       timestamptz NOT NULL,  -- likeliest moment, of the strongest alarm
    began_earliest timestamptz NOT NULL,
    began_latest   timestamptz NOT NULL,
    opened_at      timestamptz NOT NULL,
    updated_at     timestamptz NOT NULL
);
CREATE INDEX drift_episodes_recent ON drift_episodes (opened_at DESC);

ALTER TABLE drift_alarms
    ADD COLUMN episode_id     text REFERENCES drift_episodes,
    ADD COLUMN kind           text NOT NULL DEFAULT 'level'
        CHECK (kind IN ('level', 'rate', 'distribution')),
    ADD COLUMN since          timestamptz,
    ADD COLUMN since_earliest timestamptz,
    ADD COLUMN since_latest   timestamptz,
    ADD COLUMN level_before   double precision,
    ADD COLUMN level_after    double precision,
    ADD COLUMN effect         double precision;  -- standard deviations

-- What earlier releases told knew no beginning but the moment of the alarm.
INSERT INTO drift_episodes
SELECT 'dre_' || alarm_id, observed_at, observed_at, observed_at, created_at, created_at
FROM drift_alarms;
UPDATE drift_alarms
SET episode_id = 'dre_' || alarm_id, since = observed_at, since_earliest = observed_at,
    since_latest = observed_at, level_before = 0, level_after = recent_mean, effect = recent_mean;
ALTER TABLE drift_alarms
    DROP COLUMN recent_mean,
    ALTER COLUMN kind DROP DEFAULT,
    ALTER COLUMN episode_id SET NOT NULL,
    ALTER COLUMN since SET NOT NULL,
    ALTER COLUMN since_earliest SET NOT NULL,
    ALTER COLUMN since_latest SET NOT NULL,
    ALTER COLUMN level_before SET NOT NULL,
    ALTER COLUMN level_after SET NOT NULL,
    ALTER COLUMN effect SET NOT NULL;
CREATE INDEX drift_alarms_by_episode ON drift_alarms (episode_id);
CREATE INDEX drift_alarms_by_series ON drift_alarms (cohort, metric, created_at DESC);

-- Memories of the earlier form cannot be read: the series begin anew.
DELETE FROM drift_series;

-- How a feature's values are spread over the devices of a cohort on a day of reference.
CREATE TABLE drift_references (
    cohort        text NOT NULL,
    metric        text NOT NULL,
    day_class     smallint NOT NULL,           -- 0: Monday to Thursday; 4, 5, 6: that weekday
    model_version text NOT NULL,               -- of the champion of that day
    day           date NOT NULL,
    edges         double precision[] NOT NULL, -- inner bounds of the bins
    counts        bigint[] NOT NULL,           -- devices in each bin
    median        double precision NOT NULL,
    PRIMARY KEY (cohort, metric, day_class)
);

-- Days whose features were compared.
CREATE TABLE drift_days (
    day         date PRIMARY KEY,
    n_compared  integer NOT NULL DEFAULT 0,
    compared_at timestamptz NOT NULL
);

-- Drift proposes, a person decides; nothing retrains by itself.
CREATE TABLE retraining_proposals (
    proposal_id     text PRIMARY KEY,
    model_name      text NOT NULL,
    episode_id      text NOT NULL REFERENCES drift_episodes,
    status          text NOT NULL CHECK (status IN ('pending', 'accepted', 'dismissed', 'done')),
    reason          text NOT NULL,             -- why, in words
    training_data   text NOT NULL,             -- what a training would learn from, in words
    created_at      timestamptz NOT NULL,
    decided_at      timestamptz,
    decided_by      text,
    decision_reason text NOT NULL DEFAULT '',  -- masked
    model_version   text,                      -- what was trained in answer to it
    CHECK ((status = 'pending') = (decided_at IS NULL)),
    CHECK ((status = 'done') = (model_version IS NOT NULL))
);
CREATE UNIQUE INDEX retraining_proposals_one_open ON retraining_proposals (model_name)
    WHERE status IN ('pending', 'accepted');
CREATE INDEX retraining_proposals_by_episode ON retraining_proposals (episode_id);
CREATE INDEX labels_recent ON labels (created_at);
