-- SPDX-License-Identifier: Apache-2.0
-- One incident for many devices: episodes, what they have in common, who belongs to it.
ALTER TABLE incidents
    ADD COLUMN scope   text NOT NULL DEFAULT 'device' CHECK (scope IN ('device', 'fleet')),
    ADD COLUMN part_of text REFERENCES incidents;  -- the fleet incident that a device's belongs to
CREATE INDEX incidents_by_whole ON incidents (part_of) WHERE part_of IS NOT NULL;
CREATE INDEX incidents_of_fleets ON incidents (opened_at)
    WHERE scope = 'fleet' AND status NOT IN ('resolved', 'closed');

-- Since when this version: `first_seen_at` is the software's own.
ALTER TABLE software_inventory ADD COLUMN version_since timestamptz;
UPDATE software_inventory SET version_since = first_seen_at;
ALTER TABLE software_inventory ALTER COLUMN version_since SET NOT NULL;
CREATE INDEX software_inventory_by_name ON software_inventory (name, version);

-- What a device went through, from its first detection to its end; memory of the roll-up.
CREATE TABLE device_episodes (
    episode_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device_id     text NOT NULL REFERENCES devices,
    episode_key   text NOT NULL,
    failure_class text NOT NULL,
    confidence    double precision NOT NULL,
    severity      text NOT NULL CHECK (severity IN ('S1', 'S2', 'S3')),
    title         text NOT NULL,           -- masked
    entity        text NOT NULL,           -- masked
    symptoms      text[] NOT NULL,
    detection     jsonb NOT NULL,          -- masked
    observed_at   timestamptz NOT NULL,    -- the device's time
    ended_at      timestamptz
);
CREATE UNIQUE INDEX device_episodes_one_live ON device_episodes (device_id, episode_key)
    WHERE ended_at IS NULL;
CREATE INDEX device_episodes_by_time ON device_episodes (observed_at);

-- What the last look found the members to have in common.
CREATE TABLE fleet_incidents (
    incident_id       text PRIMARY KEY REFERENCES incidents,
    symptoms          text[] NOT NULL,
    cohort            jsonb NOT NULL,      -- [{"kind", "name", "version"}]; none: only the time
    shared            jsonb NOT NULL,      -- [{"attribute", "n_affected", "n_devices"}]
    n_cohort          integer NOT NULL,
    n_cohort_affected integer NOT NULL,
    n_fleet           integer NOT NULL,
    n_affected        integer NOT NULL,
    n_tried           integer NOT NULL,
    log_common        double precision NOT NULL,
    log_burst         double precision NOT NULL,
    started_at        timestamptz NOT NULL,  -- the first member's episode, the device's time
    judged_at         timestamptz NOT NULL,
    judged_members    integer NOT NULL
);

CREATE TABLE incident_members (
    incident_id text NOT NULL REFERENCES fleet_incidents,
    episode_id  bigint NOT NULL REFERENCES device_episodes,
    joined_at   timestamptz NOT NULL,
    left_at     timestamptz,
    PRIMARY KEY (incident_id, episode_id)
);
CREATE INDEX incident_members_by_episode ON incident_members (episode_id);
CREATE INDEX incident_members_live ON incident_members (incident_id) WHERE left_at IS NULL;

-- Everything devices can have in common; `changed_at` where it is a change.
CREATE VIEW device_attributes AS
SELECT device_id, 'os_family' AS kind, os_family AS name, '' AS version,
       NULL::timestamptz AS changed_at
FROM devices
UNION ALL
SELECT device_id, 'os_version', os_family, os_version, NULL FROM devices WHERE os_version <> ''
UNION ALL
SELECT device_id, 'model', model, '', NULL FROM devices WHERE model <> ''
UNION ALL
SELECT device_id, 'department', department, '', NULL FROM devices WHERE department <> ''
UNION ALL
SELECT device_id, 'role', role, '', NULL FROM devices WHERE role <> ''
UNION ALL
SELECT device_id, 'agent_version', agent_version, '', NULL FROM devices WHERE agent_version <> ''
UNION ALL
SELECT device_id, 'software', name, '', NULL FROM software_inventory
UNION ALL
SELECT device_id, 'software_version', name, version, NULL
FROM software_inventory WHERE version <> ''
UNION ALL
SELECT s.device_id, 'software_change', s.name, s.version, s.version_since
FROM software_inventory AS s
JOIN devices AS d USING (device_id)
WHERE s.version_since > d.enrolled_at + interval '1 day';

-- How many reporting devices hold an attribute, counted now and then; kind '' counts them all.
CREATE TABLE fleet_attributes (
    kind       text NOT NULL,
    name       text NOT NULL,
    version    text NOT NULL,
    n_devices  integer NOT NULL,
    counted_at timestamptz NOT NULL,
    PRIMARY KEY (kind, name, version)
);
