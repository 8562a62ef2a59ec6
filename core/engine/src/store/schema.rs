//! The tables. Released migrations are append-only: none is ever changed, and
//! none deletes or rewrites a row of `op`.

use rusqlite_migration::{M, Migrations};

const FIRST: &str = "
-- Small facts, one a row: identity, scope, what is running.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The outbox. `body` is the exact bytes that were hashed and will be sent.
CREATE TABLE op (
    n        INTEGER PRIMARY KEY,           -- the order of the saves
    id       BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    entity   BLOB NOT NULL CHECK (length(entity) = 16),
    kind     TEXT NOT NULL,
    body     TEXT NOT NULL,
    sha256   BLOB NOT NULL CHECK (length(sha256) = 32),
    saved_ms INTEGER NOT NULL,
    state    TEXT NOT NULL DEFAULT 'ready'
             CHECK (state IN ('ready', 'taken', 'rejected', 'quarantined')),
    tries    INTEGER NOT NULL DEFAULT 0,
    next_ms  INTEGER NOT NULL DEFAULT 0,    -- not sent again before
    stream   TEXT,                          -- where it was taken,
    seq      INTEGER,                       -- at which number,
    covered  INTEGER NOT NULL DEFAULT 0,    -- and whether that was pulled
    code     TEXT,                          -- why it was not taken, or not yet
    why      TEXT
) STRICT;
CREATE INDEX op_lane ON op (entity, n);
CREATE INDEX op_ready ON op (n) WHERE state = 'ready';
CREATE INDEX op_on_top ON op (entity, n) WHERE covered = 0;

-- What the server said, at its highest revision.
CREATE TABLE base (
    entity BLOB PRIMARY KEY CHECK (length(entity) = 16),
    kind   TEXT NOT NULL,
    rev    INTEGER NOT NULL,
    state  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX base_kind ON base (kind);

-- Which stream lists it, at which revision; `round` counts readings from the
-- start, so that what did not come again can be found.
CREATE TABLE listing (
    stream TEXT NOT NULL,
    entity BLOB NOT NULL CHECK (length(entity) = 16),
    rev    INTEGER NOT NULL,
    round  INTEGER NOT NULL,
    PRIMARY KEY (stream, entity)
) STRICT, WITHOUT ROWID;
CREATE INDEX listing_entity ON listing (entity);

CREATE TABLE stream (
    key        TEXT PRIMARY KEY,
    cursor     TEXT,                        -- JSON
    seq        INTEGER NOT NULL DEFAULT 0,
    round      INTEGER NOT NULL DEFAULT 0,
    resetting  INTEGER NOT NULL DEFAULT 0,
    reread_ms  INTEGER                      -- last read again for a difference
) STRICT, WITHOUT ROWID;

-- Sealed runs of fixes, named (patrol, run, ordinal) for ever.
CREATE TABLE chunk (
    patrol   BLOB NOT NULL CHECK (length(patrol) = 16),
    run      BLOB NOT NULL CHECK (length(run) = 8),
    first    INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    body     BLOB NOT NULL,
    saved_ms INTEGER NOT NULL,
    state    TEXT NOT NULL DEFAULT 'ready'
             CHECK (state IN ('ready', 'taken', 'rejected', 'quarantined')),
    tries    INTEGER NOT NULL DEFAULT 0,
    next_ms  INTEGER NOT NULL DEFAULT 0,
    code     TEXT,
    why      TEXT,
    PRIMARY KEY (patrol, run, first)
) STRICT;
CREATE INDEX chunk_ready ON chunk (saved_ms) WHERE state = 'ready';

-- Attachments; their bytes are files, one for each content.
CREATE TABLE blob (
    sha256   BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    bytes    INTEGER NOT NULL,
    mime     TEXT NOT NULL,
    saved_ms INTEGER NOT NULL,
    state    TEXT NOT NULL DEFAULT 'ready'
             CHECK (state IN ('ready', 'taken', 'rejected')),
    tries    INTEGER NOT NULL DEFAULT 0,
    next_ms  INTEGER NOT NULL DEFAULT 0,
    upload   TEXT,                          -- the path of the upload begun
    code     TEXT,
    why      TEXT
) STRICT;

-- Which record shows which attachment.
CREATE TABLE attachment (
    entity BLOB NOT NULL CHECK (length(entity) = 16),
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    PRIMARY KEY (entity, sha256)
) STRICT, WITHOUT ROWID;
";

/// The newest version that this build knows.
pub(crate) const VERSION: u32 = 1;

pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(FIRST)])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_migrations_run() {
        assert_eq!(super::migrations().validate(), Ok(()));
    }
}
