-- SPDX-License-Identifier: Apache-2.0
-- Which version of a model is in use, since when, by whom, and on what evidence. The newest row of a
-- model names its champion; MLflow's alias follows. Rows stay as they are.
CREATE TABLE model_promotions (
    promotion_id     text PRIMARY KEY,
    position         bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    model_name       text NOT NULL,
    version          text NOT NULL,
    digest           text NOT NULL,      -- sha256 (hex) of the model's file
    previous_version text,
    previous_digest  text,
    kind             text NOT NULL CHECK (kind IN ('first', 'promotion', 'rollback')),
    verdict          text NOT NULL CHECK (verdict IN ('pass', 'fail', 'inconclusive')),
    actor            text NOT NULL,
    reason           text NOT NULL DEFAULT '',   -- masked
    bundle_digest    text NOT NULL REFERENCES evidence_bundles (bundle_digest),
    created_at       timestamptz NOT NULL,
    CHECK (num_nulls(previous_version, previous_digest) IN (0, 2))
);
CREATE INDEX model_promotions_by_model ON model_promotions (model_name, position DESC);
ALTER TABLE evidence_bundles DROP CONSTRAINT evidence_bundles_kind_check;
ALTER TABLE evidence_bundles ADD CONSTRAINT evidence_bundles_kind_check
    CHECK (kind IN ('proposal', 'approval', 'execution', 'verification', 'promotion'));
