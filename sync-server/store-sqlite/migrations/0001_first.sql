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
    boundary  TEXT,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, code)
) STRICT;
CREATE INDEX grids_by_code ON grids (code);

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
    platform    TEXT NOT NULL,
    enrolled_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    tenant      BLOB NOT NULL,
    device      BLOB NOT NULL,
    worker      BLOB NOT NULL,
    last_ms     INTEGER NOT NULL,
    unsent      TEXT,
    reported_ms INTEGER,
    app         TEXT,
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

-- Kept for ever, in the order of arrival.
CREATE TABLE ops (
    n           INTEGER PRIMARY KEY,
    tenant      BLOB NOT NULL,
    id          BLOB NOT NULL,
    sha256      BLOB NOT NULL,
    entity      BLOB NOT NULL,
    creates     INTEGER NOT NULL,
    held        INTEGER NOT NULL,
    outcome     TEXT NOT NULL,
    device      BLOB,
    received_ms INTEGER NOT NULL,
    body        TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX ops_by_id ON ops (tenant, id, sha256);
CREATE INDEX ops_held ON ops (tenant, entity) WHERE held = 1;

CREATE TABLE entities (
    n       INTEGER PRIMARY KEY,
    tenant  BLOB NOT NULL,
    id      BLOB NOT NULL,
    kind    TEXT NOT NULL,
    home    BLOB NOT NULL,
    rev     INTEGER NOT NULL,
    grid    BLOB,
    worker  BLOB,
    parent  BLOB,
    at_ms   INTEGER NOT NULL,
    day     INTEGER NOT NULL,
    status  TEXT,
    deleted INTEGER NOT NULL,
    state   TEXT NOT NULL
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
    PRIMARY KEY (tenant, stream)
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
    tenant BLOB NOT NULL,
    stream BLOB NOT NULL,
    entity BLOB NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (tenant, stream, entity)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX entries_by_seq ON entries (tenant, stream, seq, entity);

CREATE TABLE tags (
    tenant BLOB NOT NULL,
    stream BLOB NOT NULL,
    seq    INTEGER NOT NULL,
    tag    INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (tenant, stream, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_age ON tags (at_ms);

CREATE TABLE receipts (
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    n      INTEGER NOT NULL,
    tag    INTEGER NOT NULL,
    what   TEXT NOT NULL,
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
    reason      TEXT NOT NULL,
    body        BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX held_chunks_by_name ON held_chunks (tenant, patrol, run, first, sha256, count);

CREATE TABLE positions (
    tenant BLOB NOT NULL,
    worker BLOB NOT NULL,
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

CREATE TABLE uploads (
    id     TEXT PRIMARY KEY,
    tenant BLOB NOT NULL,
    device BLOB NOT NULL,
    sha256 BLOB NOT NULL,
    length INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    at_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_content ON uploads (tenant, device, sha256);
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
