-- SPDX-License-Identifier: Apache-2.0
-- name: lock_sequencer
-- Let one sequencer work at a time; released at the end of the transaction.
SELECT pg_advisory_xact_lock(%(lock_key)s);

-- name: list_pending
-- The oldest events that wait for a leaf, and whether they have one all the same.
SELECT p.position, e.event_id, e.occurred_at, e.actor, e.action, e.subject_kind, e.subject_id,
       e.device_id, e.correlation_id, e.before, e.after, e.evidence,
       l.event_id IS NOT NULL AS has_leaf
FROM log_pending p
JOIN audit_events e USING (event_id)
LEFT JOIN log_entries l USING (event_id)
ORDER BY p.position
LIMIT %(limit)s;

-- name: insert_entries
-- Append leaves; the arrays are parallel.
INSERT INTO log_entries (leaf_index, event_id, entry, leaf_hash)
SELECT leaf_index, event_id, entry, leaf_hash
FROM unnest(%(leaf_indexes)s::bigint[], %(event_ids)s::text[], %(entries)s::bytea[],
            %(leaf_hashes)s::bytea[]) AS leaf (leaf_index, event_id, entry, leaf_hash);

-- name: delete_pending
-- Take sequenced events off the queue.
DELETE FROM log_pending WHERE position = ANY(%(positions)s::bigint[]);

-- name: insert_tile
-- Store a complete tile.
INSERT INTO log_tiles (level, tile_index, hashes, root_hash)
VALUES (%(level)s, %(tile_index)s, %(hashes)s, %(root_hash)s);

-- name: insert_checkpoint
-- Publish the state of the tree.
INSERT INTO log_checkpoints (tree_size, root_hash, signed_note, created_at)
VALUES (%(tree_size)s, %(root_hash)s, %(signed_note)s, %(created_at)s);

-- name: latest_checkpoint
-- The newest published state.
SELECT tree_size, root_hash, signed_note, created_at
FROM log_checkpoints
ORDER BY tree_size DESC
LIMIT 1;

-- name: find_entry
-- The leaf of an event.
SELECT leaf_index, entry FROM log_entries WHERE event_id = %(event_id)s;

-- name: leaf_hashes
-- Leaf hashes in any of the half-open ranges given by parallel arrays.
SELECT e.leaf_index AS place, e.leaf_hash AS hash
FROM unnest(%(starts)s::bigint[], %(ends)s::bigint[]) AS wanted (first, past)
JOIN log_entries e ON e.leaf_index >= wanted.first AND e.leaf_index < wanted.past;

-- name: tile_roots
-- Roots of complete tiles of the level below, in any of the ranges given by parallel arrays.
SELECT t.level + 1 AS level, t.tile_index AS place, t.root_hash AS hash
FROM unnest(%(levels)s::smallint[], %(starts)s::bigint[], %(ends)s::bigint[])
         AS wanted (level, first, past)
JOIN log_tiles t ON t.level = wanted.level - 1
    AND t.tile_index >= wanted.first AND t.tile_index < wanted.past;

-- name: find_tile
-- A complete tile.
SELECT hashes FROM log_tiles WHERE level = %(level)s AND tile_index = %(tile_index)s;

-- name: list_entries
-- Entries in the order of the log.
SELECT leaf_index, event_id, entry, leaf_hash
FROM log_entries
WHERE leaf_index >= %(start)s AND leaf_index < %(end)s
ORDER BY leaf_index;

-- name: list_entries_with_events
-- Entries beside the events they were made of, in the order of the log.
SELECT l.leaf_index, l.entry, l.leaf_hash, e.event_id, e.occurred_at, e.actor, e.action,
       e.subject_kind, e.subject_id, e.device_id, e.correlation_id, e.before, e.after, e.evidence
FROM log_entries l
JOIN audit_events e USING (event_id)
WHERE l.leaf_index >= %(start)s AND l.leaf_index < %(end)s
ORDER BY l.leaf_index;

-- name: list_checkpoints
-- Every published state, oldest first.
SELECT tree_size, root_hash, signed_note, created_at
FROM log_checkpoints
WHERE tree_size > %(after)s
ORDER BY tree_size
LIMIT %(limit)s;

-- name: count_unaccounted
-- Events that are neither in the log nor waiting for it.
SELECT count(*) AS unaccounted
FROM audit_events e
WHERE NOT EXISTS (SELECT FROM log_entries l WHERE l.event_id = e.event_id)
  AND NOT EXISTS (SELECT FROM log_pending p WHERE p.event_id = e.event_id);
