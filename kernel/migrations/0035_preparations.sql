-- SPDX-License-Identifier: Apache-2.0
-- From what this installation was prepared last: a start with the same has nothing to prepare.
CREATE TABLE preparations (
    only_row       boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sources_sha256 text NOT NULL,  -- of program, libraries and starter knowledge
    prepared_at    timestamptz NOT NULL
);
