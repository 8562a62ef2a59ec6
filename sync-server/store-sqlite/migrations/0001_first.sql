-- Ids and hashes are blobs of 16 and 32 bytes, times milliseconds since 1970.
-- A stream is one byte for its sort (1 records, 2 notices, 3 inbox, 4 receipts)
-- and the 16 of its owner's id. Every table names its tenant, first in its key.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
    tenant         BLOB PRIMARY KEY,
    utc_offset_min INTEGER NOT NULL,
    notice         TEXT,
    grids_version  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE grids (
    tenant    BLOB NOT NULL,
    id        BLOB NOT NULL,
    code      TEXT NOT NULL,
    parent    BLOB,
    level     INTEGER NOT NULL,
    name      TEXT NOT NULL,
    synthetic INTEGER NOT NULL,
    closed_ms INTEGER,
    boundary  TEXT,
    PRIMARY KEY (tenant, id)
) STRICT;
CREATE UNIQUE INDEX grids_by_code ON grids (code, tenant) WHERE closed_ms IS NULL;

-- What each grid was called and where it stood: never changed.
CREATE TABLE grid_changes (
    n      INTEGER PRIMARY KEY,
    tenant BLOB NOT NULL,
    grid   BLOB NOT NULL,
    at_ms  INTEGER NOT NULL,
    code   TEXT NOT NULL,
    parent BLOB,
    name   TEXT NOT NULL,
    closed INTEGER NOT NULL
) STRICT;
CREATE INDEX grid_changes_by_grid ON grid_changes (tenant, grid, n);

CREATE TABLE successions (
    tenant    BLOB NOT NULL,
    grid      BLOB NOT NULL,
    successor BLOB NOT NULL,
    at_ms     INTEGER NOT NULL,
    PRIMARY KEY (tenant, grid, successor)
) STRICT, WITHOUT ROWID;

CREATE TABLE workers (
    tenant BLOB NOT NULL,
    id     BLOB NOT NULL,
    name   TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE assignments (
    tenant   BLOB NOT NULL,
    worker   BLOB NOT NULL,
    grid     BLOB NOT NULL,
    from_ms  INTEGER NOT NULL,
    until_ms INTEGER,
    PRIMARY KEY (tenant, worker, grid, from_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id       BLOB PRIMARY KEY,
    tenant   BLOB NOT NULL,
    name     TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    role     TEXT NOT NULL,
    grid     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token   BLOB PRIMARY KEY,
    user    BLOB NOT NULL,
    tenant  BLOB NOT NULL,
    used_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id          BLOB PRIMARY KEY,
    tenant      BLOB NOT NULL,
    worker      BLOB NOT NULL,
    token       BLOB NOT NULL UNIQUE,
    send_token  BLOB NOT NULL UNIQUE,
    standing    INTEGER NOT NULL,
    watermark   INTEGER NOT NULL,
    platform    TEXT NOT NULL,
    enrolled_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_by_worker ON devices (tenant, worker);

CREATE TABLE contacts (
    tenant      BLOB NOT NULL,
    device      BLOB NOT NULL,
    worker      BLOB NOT NULL,
    last_ms     INTEGER NOT NULL,
    unsent      TEXT,
    reported_ms INTEGER,
    app         TEXT,
    rereads     INTEGER NOT NULL,
    PRIMARY KEY (tenant, device)
) STRICT, WITHOUT ROWID;

CREATE TABLE boots (
    tenant   BLOB NOT NULL,
    device   BLOB NOT NULL,
    boot     BLOB NOT NULL,
    start_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, device, boot)
) STRICT, WITHOUT ROWID;

CREATE TABLE codes (
    code       BLOB PRIMARY KEY,
    tenant     BLOB NOT NULL,
    worker     BLOB NOT NULL,
    expires_ms INTEGER NOT NULL,
    used_by    BLOB
) STRICT, WITHOUT ROWID;

-- Kept for ever, in the order of arrival. An outcome is packed (src/pack.rs);
-- what something in quarantine waits for is one byte for its sort and its id.
CREATE TABLE ops (
    n           INTEGER PRIMARY KEY,
    tenant      BLOB NOT NULL,
    id          BLOB NOT NULL,
    sha256      BLOB NOT NULL,
    entity      BLOB NOT NULL,
    creates     INTEGER NOT NULL,
    held        INTEGER NOT NULL,
    outcome     BLOB NOT NULL,
    wait        BLOB,
    reissued    BLOB,
    device      BLOB,
    received_ms INTEGER NOT NULL,
    body        TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX ops_by_id ON ops (tenant, id, sha256);
CREATE INDEX ops_held ON ops (tenant, entity) WHERE held = 1;
CREATE INDEX ops_waiting ON ops (tenant, wait) WHERE wait IS NOT NULL;

-- `listed` has the streams that list it, home first, 17 bytes each and 8 for the
-- number there: so a change needs no index from entities to streams. `blobs` has
-- the hashes of attachments, so that a change which leaves them alone is seen as
-- one.
CREATE TABLE entities (
    n       INTEGER PRIMARY KEY,
    tenant  BLOB NOT NULL,
    id      BLOB NOT NULL,
    kind    TEXT NOT NULL,
    rev     INTEGER NOT NULL,
    listed  BLOB NOT NULL,
    grid    BLOB,
    worker  BLOB,
    parent  BLOB,
    at_ms   INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    status  TEXT,
    deleted INTEGER NOT NULL,
    blobs   BLOB NOT NULL,
    state   TEXT
) STRICT;
CREATE UNIQUE INDEX entities_by_id ON entities (tenant, id);
CREATE INDEX entities_by_day ON entities (tenant, day, grid, kind) WHERE deleted = 0;
CREATE INDEX entities_by_status ON entities (tenant, kind, status, grid) WHERE deleted = 0;
CREATE INDEX entities_by_parent ON entities (tenant, parent) WHERE parent IS NOT NULL;

CREATE TABLE entity_blobs (
    tenant BLOB NOT NULL,
    blob   BLOB NOT NULL,
    entity BLOB NOT NULL,
    PRIMARY KEY (tenant, blob, entity)
) STRICT, WITHOUT ROWID;
CREATE INDEX entity_blobs_by_entity ON entity_blobs (tenant, entity);

CREATE TABLE heads (
    tenant BLOB NOT NULL,
    stream BLOB NOT NULL,
    seq    INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    digest BLOB NOT NULL,
    tag    INTEGER NOT NULL,
    PRIMARY KEY (tenant, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    tenant BLOB NOT NULL,
    stream BLOB NOT NULL,
    seq    INTEGER NOT NULL,
    entity BLOB NOT NULL,
    PRIMARY KEY (tenant, stream, seq)
) STRICT, WITHOUT ROWID;

-- One for all numbers that a stream gave in one transaction; the one at 0 stands
-- for those that are forgotten.
CREATE TABLE tags (
    tenant BLOB NOT NULL,
    stream BLOB NOT NULL,
    first  INTEGER NOT NULL,
    tag    INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (tenant, stream, first)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_age ON tags (at_ms);

CREATE TABLE receipts (
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    n      INTEGER NOT NULL,
    tag    INTEGER NOT NULL,
    what   BLOB NOT NULL,
    PRIMARY KEY (tenant, device, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunks (
    n           INTEGER PRIMARY KEY,
    tenant      BLOB NOT NULL,
    patrol      BLOB NOT NULL,
    run         INTEGER NOT NULL,
    first       INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    body        BLOB NOT NULL
) STRICT;
-- Holds all that a patrol's version and the holdings are counted from; that no
-- two chunks of a run overlap is the server's to see to.
CREATE UNIQUE INDEX chunks_by_name ON chunks (tenant, patrol, run, first, count);

CREATE TABLE held_chunks (
    n           INTEGER PRIMARY KEY,
    tenant      BLOB NOT NULL,
    patrol      BLOB NOT NULL,
    run         INTEGER NOT NULL,
    first       INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    sha256      BLOB NOT NULL,
    device      BLOB NOT NULL,
    received_ms INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    wait        BLOB,
    body        BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX held_chunks_by_name ON held_chunks (tenant, patrol, run, first, sha256, count);
CREATE INDEX held_chunks_waiting ON held_chunks (tenant, wait) WHERE wait IS NOT NULL;

CREATE TABLE positions (
    tenant BLOB NOT NULL,
    worker BLOB NOT NULL,
    patrol BLOB NOT NULL,
    at_ms  INTEGER NOT NULL,
    lat    REAL NOT NULL,
    lon    REAL NOT NULL,
    PRIMARY KEY (tenant, worker)
) STRICT, WITHOUT ROWID;

CREATE TABLE blobs (
    tenant      BLOB NOT NULL,
    sha256      BLOB NOT NULL,
    bytes       INTEGER NOT NULL,
    mime        TEXT NOT NULL,
    received_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, sha256)
) STRICT, WITHOUT ROWID;

CREATE TABLE blob_senders (
    tenant BLOB NOT NULL,
    blob   BLOB NOT NULL,
    device BLOB NOT NULL,
    PRIMARY KEY (tenant, blob, device)
) STRICT, WITHOUT ROWID;

-- Records (sort 1) by their id, attachments (2 by themselves, 3 with the last
-- record that showed them) by their hash.
CREATE TABLE purged (
    tenant BLOB NOT NULL,
    sort   INTEGER NOT NULL,
    what   BLOB NOT NULL,
    PRIMARY KEY (tenant, sort, what)
) STRICT, WITHOUT ROWID;

CREATE TABLE uploads (
    id     TEXT PRIMARY KEY,
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    length INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_content ON uploads (tenant, sha256, device);
CREATE INDEX uploads_by_age ON uploads (at_ms);

CREATE TABLE audit (
    n      INTEGER PRIMARY KEY,
    tenant BLOB NOT NULL,
    at_ms  INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    "on"   TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_tenant ON audit (tenant, n);
