-- SPDX-License-Identifier: Apache-2.0
-- Who made the token of a service that imported a script version: they approve it as little as an
-- importer does, whoever makes that service's next token.
ALTER TABLE scripts ADD COLUMN imported_for text NOT NULL DEFAULT '';
