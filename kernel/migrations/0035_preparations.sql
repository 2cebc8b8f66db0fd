-- SPDX-License-Identifier: Apache-2.0
-- From what this installation was prepared last: a start with the same has nothing to prepare.
CREATE TABLE preparations (
    sources_sha256 text PRIMARY KEY,  -- of program, libraries and starter knowledge
    prepared_at    timestamptz NOT NULL
);
