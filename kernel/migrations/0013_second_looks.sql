-- SPDX-License-Identifier: Apache-2.0
-- Words that a person took out of search stay out under any name; a token's files are its maker's.
CREATE INDEX document_flags_refused ON document_flags ((detail ->> 'content'))
    WHERE resolution = 'retired';
ALTER TABLE service_tokens
    ADD COLUMN created_by text NOT NULL DEFAULT '';
