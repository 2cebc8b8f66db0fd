-- SPDX-License-Identifier: Apache-2.0
-- Who was shown which originals behind an incident's pseudonyms, and why: what bounds are counted by.
CREATE TABLE reidentifications (
    reveal_id   text PRIMARY KEY,
    incident_id text NOT NULL REFERENCES incidents,
    pseudonyms  text[] NOT NULL,
    actor       text NOT NULL,
    reason      text NOT NULL,       -- masked
    revealed_at timestamptz NOT NULL
);
CREATE INDEX reidentifications_by_actor ON reidentifications (actor, revealed_at DESC);
CREATE INDEX reidentifications_by_incident ON reidentifications (incident_id, revealed_at DESC);
