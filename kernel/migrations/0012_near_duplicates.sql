-- SPDX-License-Identifier: Apache-2.0
-- Which documents may be copies of each other: bands of a MinHash signature of a document's words.
-- Two documents that share a band are compared word by word.
CREATE TABLE document_fingerprints (
    document_id text PRIMARY KEY,
    version     integer NOT NULL,
    bands       bigint[] NOT NULL,
    FOREIGN KEY (document_id, version) REFERENCES documents
);
CREATE INDEX document_fingerprints_by_band ON document_fingerprints USING gin (bands);
