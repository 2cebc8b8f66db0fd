-- SPDX-License-Identifier: Apache-2.0
-- A corpus that people bring: where documents come from, the indexes they are searched with, and
-- what people found helpful.
CREATE TABLE document_sources (
    source_id     text PRIMARY KEY CHECK (source_id ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    kind          text NOT NULL CHECK (kind IN ('starter', 'folder', 'file', 'upload')),
    location      text NOT NULL,                   -- as given; "" for uploads
    trust         text NOT NULL CHECK (trust IN ('starter', 'internal', 'external')),
    access_groups text[] NOT NULL DEFAULT '{}',    -- empty: everybody who may log in
    platforms     text[] NOT NULL DEFAULT '{}',    -- where a document names none
    products      text[] NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL,
    created_by    text NOT NULL
);

CREATE TABLE ingestion_runs (
    run_id      text PRIMARY KEY,
    source_id   text NOT NULL REFERENCES document_sources,
    actor       text NOT NULL,
    started_at  timestamptz NOT NULL,
    finished_at timestamptz,                       -- null: running, or ended half-way
    counts      jsonb NOT NULL DEFAULT '{}'        -- {verdict: number of files}
);
CREATE INDEX ingestion_runs_by_source ON ingestion_runs (source_id, started_at DESC);

-- The newest verdict on each file of a source.
CREATE TABLE ingested_files (
    source_id     text NOT NULL REFERENCES document_sources,
    path          text NOT NULL,
    sha256        text,                            -- null: the file was not read
    size_bytes    bigint NOT NULL,
    verdict       text NOT NULL
                  CHECK (verdict IN ('stored', 'unchanged', 'rejected', 'quarantined', 'removed')),
    reason        text NOT NULL DEFAULT '',        -- a stable code
    detail        text NOT NULL DEFAULT '',        -- for people
    engine        text NOT NULL DEFAULT '',        -- what scanned it
    recipe        text NOT NULL DEFAULT '',        -- parsers and chunking that made the documents
    document_ids  text[] NOT NULL DEFAULT '{}',
    run_id        text NOT NULL REFERENCES ingestion_runs,
    recorded_at   timestamptz NOT NULL,
    PRIMARY KEY (source_id, path)
);

ALTER TABLE documents
    ADD COLUMN source_id     text REFERENCES document_sources,
    ADD COLUMN path          text NOT NULL DEFAULT '',   -- of the file in its source
    ADD COLUMN language      text NOT NULL DEFAULT 'und', -- ISO 639-1
    ADD COLUMN access_groups text[] NOT NULL DEFAULT '{}',
    ADD COLUMN metadata      jsonb NOT NULL DEFAULT '{}';
CREATE INDEX documents_by_source ON documents (source_id) WHERE retired_at IS NULL;

DROP TABLE retrieval_statistics;
ALTER TABLE chunks
    DROP COLUMN embedding,
    DROP COLUMN keywords,
    ADD COLUMN headings text[] NOT NULL DEFAULT '{}',
    ADD COLUMN page     integer;

-- An index is made by one embedding model; a new one is built beside the old and then serves.
CREATE TABLE search_indexes (
    index_id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model             text NOT NULL,
    revision          text NOT NULL,
    recipe            text NOT NULL,               -- how terms are made
    state             text NOT NULL CHECK (state IN ('building', 'serving', 'retired')),
    n_chunks          bigint NOT NULL DEFAULT 0,
    n_terms           bigint NOT NULL DEFAULT 0,   -- in all chunks together
    mean_length       double precision NOT NULL DEFAULT 0, -- that the keyword weights assume
    generation        bigint NOT NULL DEFAULT 0,   -- grows with each change: caches compare it
    created_at        timestamptz NOT NULL,
    served_at         timestamptz,
    retired_at        timestamptz
);
CREATE UNIQUE INDEX search_indexes_serving ON search_indexes (state) WHERE state = 'serving';
CREATE UNIQUE INDEX search_indexes_building ON search_indexes (state) WHERE state = 'building';

CREATE TABLE index_terms (
    index_id integer NOT NULL REFERENCES search_indexes,
    term     integer NOT NULL,                     -- hashed
    n_chunks integer NOT NULL,
    PRIMARY KEY (index_id, term)
);

-- Current passages only. What filters ask for stands beside the vectors, to be checked while
-- a graph is walked.
CREATE TABLE chunk_vectors (
    index_id    integer NOT NULL,
    chunk_id    text NOT NULL,
    document_id text NOT NULL,
    facets      text[] NOT NULL,                   -- 'platform:linux', 'trust:internal', ...
    signals     text[] NOT NULL,                   -- error codes, event ids, KB numbers, ...
    embedding   halfvec(384) NOT NULL,
    keywords    sparsevec(268435456) NOT NULL,     -- BM25 document weights over hashed terms
    PRIMARY KEY (index_id, chunk_id)
) PARTITION BY LIST (index_id);
CREATE TABLE document_vectors (
    index_id    integer NOT NULL,
    document_id text NOT NULL,
    centroid    halfvec(384) NOT NULL,             -- mean of its passages' unit vectors
    PRIMARY KEY (index_id, document_id)
) PARTITION BY LIST (index_id);

-- The application has no right to create tables; it may ask for those of one index.
CREATE FUNCTION create_index_partitions(id integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I PARTITION OF chunk_vectors FOR VALUES IN (%s)',
                   'chunk_vectors_' || id, id);
    EXECUTE format('CREATE TABLE %I PARTITION OF document_vectors FOR VALUES IN (%s)',
                   'document_vectors_' || id, id);
    EXECUTE format('ALTER TABLE %I ALTER COLUMN embedding SET STORAGE PLAIN, '
                   'ALTER COLUMN facets SET STORAGE MAIN', 'chunk_vectors_' || id);
    EXECUTE format('CREATE INDEX ON %I (document_id)', 'chunk_vectors_' || id);
END
$$;
-- Without statistics every search would read all of an index.
CREATE FUNCTION analyze_index_partitions(id integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('ANALYZE %I', 'chunk_vectors_' || id);
    EXECUTE format('ANALYZE %I', 'document_vectors_' || id);
END
$$;
-- Graphs and inverted lists are faster made at once, after the rows, than row by row; the caller
-- says with maintenance_work_mem how much memory that may take.
CREATE FUNCTION create_index_graphs(id integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE INDEX ON %I USING hnsw (embedding halfvec_cosine_ops)',
                   'chunk_vectors_' || id);
    EXECUTE format('CREATE INDEX ON %I USING hnsw (keywords sparsevec_ip_ops)',
                   'chunk_vectors_' || id);
    EXECUTE format('CREATE INDEX ON %I USING gin (facets)', 'chunk_vectors_' || id);
    EXECUTE format('CREATE INDEX ON %I USING gin (signals)', 'chunk_vectors_' || id);
    PERFORM analyze_index_partitions(id);
END
$$;
CREATE FUNCTION drop_index_partitions(id integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM search_indexes WHERE index_id = id AND state = 'serving') THEN
        RAISE EXCEPTION 'index % serves', id;
    END IF;
    EXECUTE format('DROP TABLE IF EXISTS %I', 'chunk_vectors_' || id);
    EXECUTE format('DROP TABLE IF EXISTS %I', 'document_vectors_' || id);
END
$$;

-- Documents that a person should look at.
CREATE TABLE document_flags (
    flag_id     text PRIMARY KEY,
    document_id text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('near_duplicate', 'dominance')),
    detail      jsonb NOT NULL,
    raised_at   timestamptz NOT NULL,
    resolved_at timestamptz,
    resolved_by text,
    resolution  text CHECK (resolution IN ('kept', 'retired'))
);
CREATE UNIQUE INDEX document_flags_open ON document_flags (document_id, kind)
    WHERE resolved_at IS NULL;

-- How often a document was first among those that a query found.
CREATE TABLE document_wins (
    document_id text NOT NULL,
    day         date NOT NULL,
    n_first     integer NOT NULL,
    PRIMARY KEY (document_id, day)
);
CREATE TABLE query_days (
    day       date PRIMARY KEY,
    n_queries integer NOT NULL
);

-- A masked text of a failure, and what helped or did not: what ranking learns from.
CREATE TABLE search_labels (
    label_id    text PRIMARY KEY,
    text        text NOT NULL,                     -- masked
    document_id text NOT NULL,
    chunk_id    text,
    label       text NOT NULL CHECK (label IN ('helped', 'did_not_help')),
    origin      text NOT NULL
                CHECK (origin IN ('search', 'citation', 'decision', 'outcome', 'import')),
    embedding   halfvec(384) NOT NULL,
    model       text NOT NULL,                     -- that made the embedding
    actor       text NOT NULL,
    created_at  timestamptz NOT NULL
);
CREATE INDEX search_labels_by_embedding ON search_labels USING hnsw (embedding halfvec_cosine_ops)
    WHERE label = 'helped';
CREATE INDEX search_labels_by_document ON search_labels (document_id);
