-- SPDX-License-Identifier: Apache-2.0
-- What policies were asked and answered, so that another version can be asked the same. Not the
-- record of a decision, which is its evidence: rows go after their time.
CREATE TABLE policy_decisions (
    position        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision        text NOT NULL CHECK (decision IN ('proposal', 'approval', 'dispatch')),
    proposal_id     text NOT NULL,       -- no reference: denials are stored beside open transactions
    question        jsonb NOT NULL,
    allow           boolean NOT NULL,
    requires_quorum smallint NOT NULL,
    reasons         text[] NOT NULL,
    policy_digest   text NOT NULL,
    decided_at      timestamptz NOT NULL
);
CREATE INDEX policy_decisions_by_proposal ON policy_decisions (proposal_id, position DESC);
