-- Drawn anew whenever a catalogue or calendar of the district is imported.
ALTER TABLE tenants ADD COLUMN law_version INTEGER NOT NULL DEFAULT 0;

-- The catalogues (sort 1) and calendars (2) that were imported: never changed.
CREATE TABLE laws (
    tenant  BLOB NOT NULL,
    sort    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (tenant, sort, version)
) STRICT;

-- A record of somebody's inbox has the grid that it names, too.
UPDATE entities
    SET grid = unhex(replace(json_extract(state, '$.fields.grid.value'), '-', ''))
    WHERE grid IS NULL AND state IS NOT NULL;

-- From when on the server's clock is to look at a record. Those that it never
-- looked at may have something for it.
ALTER TABLE entities ADD COLUMN due_ms INTEGER;
UPDATE entities SET due_ms = 0
    WHERE deleted = 0 AND (kind = 'mediation' OR (kind = 'incident' AND status = 'escalated'));
CREATE INDEX entities_by_due ON entities (tenant, due_ms) WHERE due_ms IS NOT NULL;

-- Who was shown a record of narrow readers. Never changed.
CREATE TABLE readings (
    n      INTEGER PRIMARY KEY,
    tenant BLOB NOT NULL,
    entity BLOB NOT NULL,
    at_ms  INTEGER NOT NULL,
    who    TEXT NOT NULL
) STRICT;
CREATE INDEX readings_by_entity ON readings (tenant, entity, n);
