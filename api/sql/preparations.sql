-- SPDX-License-Identifier: Apache-2.0

-- name: find_preparation
-- When it was prepared from these sources; no row where it was not.
SELECT prepared_at FROM preparations WHERE sources_sha256 = %(sources)s;

-- name: record_preparation
-- Keeps what it was prepared from last.
INSERT INTO preparations (sources_sha256, prepared_at) VALUES (%(sources)s, %(now)s)
ON CONFLICT (only_row) DO UPDATE
SET sources_sha256 = excluded.sources_sha256, prepared_at = excluded.prepared_at;
