-- SPDX-License-Identifier: Apache-2.0
-- name: find_roles
-- Which of our roles exist.
SELECT rolname FROM pg_roles WHERE rolname = ANY(%(names)s);

-- name: find_databases
-- Which of our databases exist, and who owns them.
SELECT datname FROM pg_database WHERE datname = ANY(%(names)s);

-- name: create_vector
-- pgvector is not a trusted extension: only the superuser may create it.
CREATE EXTENSION IF NOT EXISTS vector;
