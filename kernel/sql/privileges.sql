-- SPDX-License-Identifier: Apache-2.0
-- What the application's role may do; run after every migration, as the owner of the schema.
-- Append-only tables can be read and extended, never changed: not even by a broken application.
-- Rows are deleted only where the application does that: a job whose row is gone would be made again.
DO $$
DECLARE
    append_only text;
    deletable   text;
    definer     text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eucora_app') THEN
        RETURN;
    END IF;
    GRANT USAGE ON SCHEMA public TO eucora_app;
    GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO eucora_app;
    REVOKE DELETE, TRUNCATE ON ALL TABLES IN SCHEMA public FROM eucora_app;
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO eucora_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE ON TABLES TO eucora_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE DELETE, TRUNCATE ON TABLES FROM eucora_app;
    ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO eucora_app;
    FOREACH append_only IN ARRAY ARRAY[
        'audit_events', 'log_entries', 'log_tiles', 'log_checkpoints', 'approvals',
        'evidence_bundles', 'incident_transitions', 'model_promotions', 'incident_class_labels',
        'labelled_windows', 'policy_activations', 'script_decisions'
    ] LOOP
        EXECUTE format('REVOKE UPDATE ON %I FROM eucora_app', append_only);
    END LOOP;
    FOREACH deletable IN ARRAY ARRAY[
        'chunk_vectors', 'detector_cohorts', 'device_user_map', 'directory_changes',
        'directory_entries', 'document_vectors', 'document_wins', 'drift_minutes',
        'fleet_attributes', 'index_terms', 'log_pending', 'login_attempts', 'policy_decisions',
        'query_days', 'search_labels', 'sessions', 'users', 'vault_entries'
    ] LOOP
        EXECUTE format('GRANT DELETE ON %I TO eucora_app', deletable);
    END LOOP;
    REVOKE INSERT, UPDATE ON schema_migrations FROM eucora_app;
    FOREACH definer IN ARRAY ARRAY[
        'ensure_telemetry_partition(date)', 'create_index_partitions(integer)',
        'create_index_graphs(integer)', 'drop_index_partitions(integer)',
        'analyze_index_partitions(integer)'
    ] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', definer);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO eucora_app', definer);
    END LOOP;
END
$$;
