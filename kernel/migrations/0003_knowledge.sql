-- SPDX-License-Identifier: Apache-2.0
-- Articles, passages and the script catalogue.
CREATE TABLE documents (
    document_id     text NOT NULL,
    version         integer NOT NULL,
    kind            text NOT NULL CHECK (kind IN ('article', 'script')),
    title           text NOT NULL,
    body            text NOT NULL,
    source          text NOT NULL,
    trust           text NOT NULL DEFAULT 'starter' CHECK (trust IN ('starter', 'internal', 'external')),
    platforms       text[] NOT NULL DEFAULT '{}',
    products        text[] NOT NULL DEFAULT '{}',
    failure_classes text[] NOT NULL DEFAULT '{}',
    related_scripts text[] NOT NULL DEFAULT '{}',
    content_sha256  text NOT NULL,
    ingested_at     timestamptz NOT NULL,
    retired_at      timestamptz,
    PRIMARY KEY (document_id, version)
);
CREATE UNIQUE INDEX documents_current ON documents (document_id) WHERE retired_at IS NULL;

CREATE TABLE chunks (
    chunk_id     text PRIMARY KEY,
    document_id  text NOT NULL,
    version      integer NOT NULL,
    ordinal      integer NOT NULL,
    start_offset integer NOT NULL,
    end_offset   integer NOT NULL,
    text         text NOT NULL,
    embedding    halfvec(384) NOT NULL,
    keywords     sparsevec(1048576) NOT NULL,   -- BM25 document weights over hashed terms
    current      boolean NOT NULL DEFAULT true,
    FOREIGN KEY (document_id, version) REFERENCES documents
);
CREATE INDEX chunks_by_embedding ON chunks USING hnsw (embedding halfvec_cosine_ops);
CREATE INDEX chunks_by_document ON chunks (document_id, version);

CREATE TABLE retrieval_statistics (
    singleton           boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    n_chunks            bigint NOT NULL,
    mean_chunk_length   double precision NOT NULL,
    document_frequency  jsonb NOT NULL           -- {hashed term: number of chunks}
);

CREATE TABLE scripts (
    script_id      text NOT NULL,
    version        text NOT NULL,
    title          text NOT NULL,
    author         text NOT NULL,
    platforms      text[] NOT NULL,
    interpreter    text NOT NULL,
    failure_classes text[] NOT NULL,
    manifest       jsonb NOT NULL,
    analysis       jsonb NOT NULL DEFAULT '{}',  -- static analysis at import
    content_sha256 text NOT NULL,                -- of the canonical manifest and all files
    status         text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'retired')),
    imported_at    timestamptz NOT NULL,
    PRIMARY KEY (script_id, version)
);

CREATE TABLE script_files (
    script_id text NOT NULL,
    version   text NOT NULL,
    step      text NOT NULL CHECK (step IN ('detect', 'remediate', 'verify', 'rollback')),
    content   bytea NOT NULL,
    sha256    text NOT NULL,
    PRIMARY KEY (script_id, version, step),
    FOREIGN KEY (script_id, version) REFERENCES scripts
);
