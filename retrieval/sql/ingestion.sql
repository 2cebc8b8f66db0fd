-- SPDX-License-Identifier: Apache-2.0

-- name: find_source
-- One source.
SELECT source_id, kind, location, trust, access_groups, platforms, products, created_by
FROM document_sources
WHERE source_id = %(source_id)s;

-- name: list_sources
-- Sources with their figures and their newest run: one, or all that hold a document or a file, or
-- whose newest run has not come to its end.
SELECT s.source_id, s.kind, s.location, s.trust, s.access_groups, s.platforms, s.products,
       s.created_at, s.created_by, d.n_documents, f.n_files, f.n_rejected, f.n_held,
       r.started_at AS last_started_at, r.finished_at AS last_finished_at,
       coalesce(r.counts, '{}') AS last_counts
FROM document_sources AS s
CROSS JOIN LATERAL (
    SELECT count(*) AS n_documents
    FROM documents
    WHERE source_id = s.source_id AND retired_at IS NULL
) AS d
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE verdict = 'stored') AS n_files,
           count(*) FILTER (WHERE verdict = 'rejected') AS n_rejected,
           count(*) FILTER (WHERE verdict = 'quarantined') AS n_held
    FROM ingested_files
    WHERE source_id = s.source_id
) AS f
LEFT JOIN LATERAL (
    SELECT started_at, finished_at, counts
    FROM ingestion_runs
    WHERE source_id = s.source_id
    ORDER BY started_at DESC, run_id DESC
    LIMIT 1
) AS r ON true
WHERE s.source_id = %(source_id)s::text
   OR (%(source_id)s::text IS NULL
       AND (d.n_documents + f.n_files + f.n_rejected + f.n_held > 0 OR r.finished_at IS NULL))
ORDER BY s.source_id;

-- name: keep_source
-- Makes a source or changes it; who made it and when stays.
INSERT INTO document_sources (source_id, kind, location, trust, access_groups, platforms, products,
                              created_at, created_by)
VALUES (%(source_id)s, %(kind)s, %(location)s, %(trust)s, %(access_groups)s, %(platforms)s,
        %(products)s, %(now)s, %(actor)s)
ON CONFLICT (source_id) DO UPDATE
SET kind = excluded.kind, location = excluded.location, trust = excluded.trust,
    access_groups = excluded.access_groups, platforms = excluded.platforms,
    products = excluded.products;

-- name: lock_terms
-- Makes those who change what is said of a source take turns, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('terms:' || %(source_id)s::text, 0));

-- name: insert_run
-- Begins a run.
INSERT INTO ingestion_runs (run_id, source_id, actor, started_at)
VALUES (%(run_id)s, %(source_id)s, %(actor)s, %(now)s);

-- name: finish_run
-- Ends a run that went to its end.
UPDATE ingestion_runs
SET finished_at = %(now)s, counts = %(counts)s
WHERE run_id = %(run_id)s;

-- name: list_files
-- The newest verdicts on a source's files, from a path on; all verdicts, or one.
SELECT f.path, f.sha256, f.size_bytes, f.verdict, f.reason, f.detail, f.engine, f.recipe,
       f.document_ids, f.recorded_at, r.finished_at IS NOT NULL AS is_told
FROM ingested_files AS f
JOIN ingestion_runs AS r USING (run_id)
WHERE f.source_id = %(source_id)s AND f.path > %(after)s
  AND (%(verdict)s::text IS NULL OR f.verdict = %(verdict)s::text)
ORDER BY f.path
LIMIT %(limit)s;

-- name: find_file
-- The newest verdict on one file.
SELECT f.path, f.sha256, f.size_bytes, f.verdict, f.reason, f.detail, f.engine, f.recipe,
       f.document_ids, f.recorded_at, r.finished_at IS NOT NULL AS is_told
FROM ingested_files AS f
JOIN ingestion_runs AS r USING (run_id)
WHERE f.source_id = %(source_id)s AND f.path = %(path)s;

-- name: find_readers
-- Who may read the newest version of a document, or of the one that a flag is on.
SELECT access_groups, source_id
FROM documents
WHERE document_id = coalesce(
    %(document_id)s::text,
    (SELECT document_id FROM document_flags WHERE flag_id = %(flag_id)s::text)
)
ORDER BY version DESC
LIMIT 1;

-- name: list_copies
-- Files with these bytes, and those let pass by a release whose bytes are not on record, since they
-- are to be looked at anew.
SELECT f.source_id, s.kind, f.run_id, f.path, f.sha256, f.size_bytes, f.verdict, f.reason,
       f.detail, f.engine, f.recipe, f.document_ids, f.recorded_at,
       r.finished_at IS NOT NULL AS is_told
FROM ingested_files AS f
JOIN document_sources AS s ON s.source_id = f.source_id
JOIN ingestion_runs AS r ON r.run_id = f.run_id
WHERE f.sha256 = %(sha256)s::text
   OR (f.sha256 IS NULL AND f.engine LIKE %(released)s::text)
ORDER BY f.source_id, f.path;

-- name: list_holders
-- The sources of which files with these bytes are held back.
SELECT DISTINCT sha256, source_id
FROM ingested_files
WHERE verdict = 'quarantined' AND sha256 = ANY (%(sha256s)s::text[])
ORDER BY sha256, source_id;

-- name: keep_file
-- Records the newest verdict on a file.
INSERT INTO ingested_files (source_id, path, sha256, size_bytes, verdict, reason, detail, engine,
                            recipe, document_ids, run_id, recorded_at)
VALUES (%(source_id)s, %(path)s, %(sha256)s, %(size_bytes)s, %(verdict)s, %(reason)s, %(detail)s,
        %(engine)s, %(recipe)s, %(document_ids)s, %(run_id)s, %(now)s)
ON CONFLICT (source_id, path) DO UPDATE
SET sha256 = excluded.sha256, size_bytes = excluded.size_bytes, verdict = excluded.verdict,
    reason = excluded.reason, detail = excluded.detail, engine = excluded.engine,
    recipe = excluded.recipe, document_ids = excluded.document_ids, run_id = excluded.run_id,
    recorded_at = excluded.recorded_at;

-- name: take_over_files
-- Makes verdicts those of the run that told of them, in place of one that broke off before it could.
UPDATE ingested_files
SET run_id = %(run_id)s
WHERE source_id = %(source_id)s AND path = ANY (%(paths)s) AND run_id <> %(run_id)s;

-- name: list_versions
-- The versions in force of documents.
SELECT document_id, version
FROM documents
WHERE document_id = ANY (%(document_ids)s) AND retired_at IS NULL;
