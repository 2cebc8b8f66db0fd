-- SPDX-License-Identifier: Apache-2.0
-- What the detector has learnt of cohorts and of the fleet, shared by all workers.

CREATE TABLE detector_cohorts (
    cohort     text PRIMARY KEY,      -- empty: the fleet as a whole
    state      bytea NOT NULL,        -- MessagePack of plain numbers
    updated_at timestamptz NOT NULL
);

-- The metrics of each layout that states were written in, so that older states are read by name.
CREATE TABLE detector_layouts (
    layout     text PRIMARY KEY,
    metrics    text[] NOT NULL,
    created_at timestamptz NOT NULL
);
