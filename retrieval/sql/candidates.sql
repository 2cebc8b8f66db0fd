-- SPDX-License-Identifier: Apache-2.0

-- name: set_scan
-- How graphs are walked until the transaction ends: on past the filter until enough is found.
SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),
       set_config('hnsw.ef_search', %(ef_search)s, true),
       set_config('hnsw.max_scan_tuples', %(max_scan_tuples)s, true),
       set_config('plan_cache_mode', 'force_custom_plan', true),
       set_config('jit', 'off', true);

-- name: facet_filter
-- No statement: what stands for the parameter `facet_filter` below. NULL asks for nothing.
(%(platforms)s::text[] IS NULL OR facets && %(platforms)s::text[])
AND (%(kinds)s::text[] IS NULL OR facets && %(kinds)s::text[])
AND (%(products)s::text[] IS NULL OR facets && %(products)s::text[])
AND (%(languages)s::text[] IS NULL OR facets && %(languages)s::text[])
AND (%(trusts)s::text[] IS NULL OR facets && %(trusts)s::text[])
AND (%(groups)s::text[] IS NULL OR facets && %(groups)s::text[]);

-- name: count_passing
-- How many passages pass a filter, counted up to a limit.
SELECT count(*) AS n
FROM (
    SELECT 1
    FROM chunk_vectors
    WHERE index_id = %(index_id)s AND %(facet_filter)s::boolean
    LIMIT %(limit)s
) AS passing;

-- name: find_exactly
-- All scores of the passages of documents that are among the best by meaning, keywords, exact
-- signals or votes; every passage that passes the filter is read.
WITH passing AS NOT MATERIALIZED (
    SELECT chunk_id, document_id, facets, signals, embedding, keywords
    FROM chunk_vectors
    WHERE index_id = %(index_id)s AND %(facet_filter)s::boolean
),
scored AS MATERIALIZED (
    SELECT document_id,
           embedding <=> %(embedding)s::halfvec AS distance,
           CASE WHEN %(adapted)s::halfvec IS NULL THEN NULL
                ELSE embedding <=> %(adapted)s::halfvec END AS adapted_distance,
           keywords <#> %(keywords)s::sparsevec AS keyword_distance,
           signals && %(signals)s::text[] AS has_signal
    FROM passing
),
wanted AS MATERIALIZED (
    (SELECT document_id FROM scored ORDER BY distance LIMIT %(n_candidates)s)
    UNION
    (SELECT document_id FROM scored WHERE %(adapted)s::halfvec IS NOT NULL
     ORDER BY adapted_distance LIMIT %(n_candidates)s)
    UNION
    (SELECT document_id FROM scored WHERE keyword_distance < 0
     ORDER BY keyword_distance LIMIT %(n_candidates)s)
    UNION
    (SELECT document_id FROM scored WHERE has_signal
     ORDER BY keyword_distance LIMIT %(n_candidates)s)
    UNION
    SELECT unnest(%(voted)s::text[])
)
%(candidate_passages)s;

-- name: find_nearly
-- The same scores; which documents are among the best is found by walking graphs, each of them on
-- past what does not pass the filter.
WITH passing AS NOT MATERIALIZED (
    SELECT chunk_id, document_id, facets, signals, embedding, keywords
    FROM chunk_vectors
    WHERE index_id = %(index_id)s AND %(facet_filter)s::boolean
),
wanted AS MATERIALIZED (
    (SELECT document_id FROM passing
     ORDER BY embedding <=> %(embedding)s::halfvec LIMIT %(n_candidates)s)
    UNION
    (SELECT document_id FROM passing WHERE %(adapted)s::halfvec IS NOT NULL
     ORDER BY embedding <=> %(adapted)s::halfvec LIMIT %(n_candidates)s)
    UNION
    (SELECT document_id FROM passing
     ORDER BY keywords <#> %(keywords)s::sparsevec LIMIT %(n_candidates)s)
    UNION
    (SELECT document_id FROM passing WHERE signals && %(rare_signals)s::text[]
     LIMIT %(n_candidates)s)
    UNION
    SELECT unnest(%(voted)s::text[])
)
%(candidate_passages)s;

-- name: candidate_passages
-- No statement: what stands for the parameter `candidate_passages` above.
(SELECT p.chunk_id, p.document_id, p.facets,
       1 - (p.embedding <=> %(embedding)s::halfvec) AS meaning,
       -(p.keywords <#> %(keywords)s::sparsevec) AS keyword_score,
       CASE WHEN p.signals && %(signals)s::text[] THEN p.signals ELSE '{}' END AS signals,
       d.whole, d.learned
FROM wanted
CROSS JOIN LATERAL (
    SELECT 1 - (centroid <=> %(embedding)s::halfvec) AS whole,
           CASE WHEN %(adapted)s::halfvec IS NULL THEN 0
                ELSE 1 - (centroid <=> %(adapted)s::halfvec) END AS learned
    FROM document_vectors
    WHERE index_id = %(index_id)s AND document_id = wanted.document_id
    LIMIT 1
) AS d
JOIN passing AS p ON p.document_id = wanted.document_id);

-- name: find_similar_tickets
-- Past tickets most like a query, with the documents that helped with them. Whoever marks a
-- document for many texts has one voice, the nearest; who brings past tickets has one for each
-- that is no echo of another.
SELECT document_id, max(similarity) AS similarity, true AS helped
FROM (
    SELECT document_id, 1 - (embedding <=> %(embedding)s::halfvec) AS similarity,
           CASE WHEN origin = 'search' THEN actor ELSE label_id END AS voice
    FROM search_labels
    WHERE label = 'helped' AND NOT echo AND model = %(model)s
    ORDER BY embedding <=> %(embedding)s::halfvec
    LIMIT %(limit)s * 10
) AS nearest
GROUP BY document_id, voice
ORDER BY similarity DESC
LIMIT %(limit)s;

-- name: find_disappointed_tickets
-- Past tickets like a query, with the documents that did not help with them; voices as above.
SELECT document_id, max(similarity) AS similarity, false AS helped
FROM (
    SELECT document_id, 1 - (embedding <=> %(embedding)s::halfvec) AS similarity,
           CASE WHEN origin = 'search' THEN actor ELSE label_id END AS voice
    FROM search_labels
    WHERE label = 'did_not_help' AND NOT echo AND model = %(model)s
      AND document_id = ANY (%(voted)s::text[])
) AS tickets
GROUP BY document_id, voice
ORDER BY similarity DESC
LIMIT %(limit)s;
