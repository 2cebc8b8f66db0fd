-- SPDX-License-Identifier: Apache-2.0
-- What the recommender learnt since its training, as numbers, and each label that it learnt from.
CREATE TABLE online_corrections (
    model_digest text NOT NULL,          -- of the model's file
    event        text NOT NULL CHECK (event IN ('approved', 'works')),
    weights      jsonb NOT NULL,         -- {signal: log-odds}, of all witnesses together
    n_labels     bigint NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (model_digest, event)
);

CREATE TABLE online_influences (
    model_digest text NOT NULL,
    event        text NOT NULL,
    witness      text NOT NULL,          -- a person, or a device
    weights      jsonb NOT NULL,         -- this one's share, bounded
    n_labels     bigint NOT NULL,
    PRIMARY KEY (model_digest, event, witness),
    FOREIGN KEY (model_digest, event) REFERENCES online_corrections ON DELETE CASCADE
);

CREATE TABLE online_lessons (
    label_id     text PRIMARY KEY REFERENCES labels ON DELETE CASCADE,
    model_digest text NOT NULL,
    event        text NOT NULL,
    happened     boolean NOT NULL,
    learnt_at    timestamptz NOT NULL
);

CREATE INDEX labels_newest_of_script ON labels (script_id, created_at DESC);
CREATE INDEX labels_by_proposal ON labels (proposal_id);
CREATE INDEX proposals_by_parent ON proposals (parent_proposal_id)
WHERE parent_proposal_id IS NOT NULL;
