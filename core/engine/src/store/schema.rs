//! The tables. Released migrations are append-only: none is ever changed, and
//! none deletes or rewrites a row of `op`.

use rusqlite_migration::{M, Migrations};

const FIRST: &str = "
-- Small facts, one a row: scope, what is running, when to sync next.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Those who use this phone, or did. One at most is present; of the others only
-- what they had not sent, or must still keep, is left.
CREATE TABLE account (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    me      TEXT NOT NULL,                  -- JSON: who, where, the tokens
    line    TEXT NOT NULL,                  -- JSON: where it stands with its server
    leaving TEXT CHECK (leaving IN ('logged_out', 'replaced')),
    left_ms INTEGER                         -- since when
) STRICT;
CREATE UNIQUE INDEX account_present ON account ((1)) WHERE leaving IS NULL;

-- Starts of the phone's system, in their order: the clocks when the app first
-- ran in it and when it last saved something.
CREATE TABLE boot (
    n          INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    first_wall INTEGER NOT NULL,
    first_mono INTEGER NOT NULL,
    last_wall  INTEGER NOT NULL,
    last_mono  INTEGER NOT NULL
) STRICT;

-- The outbox. `body` is the exact bytes that were hashed and will be sent.
CREATE TABLE op (
    n         INTEGER PRIMARY KEY,          -- the order of the saves
    account   INTEGER NOT NULL,
    id        BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    entity    BLOB NOT NULL CHECK (length(entity) = 16),
    kind      TEXT NOT NULL,
    home      TEXT NOT NULL,                -- the entity's home stream
    prev      BLOB,
    body      TEXT NOT NULL,
    sha256    BLOB NOT NULL CHECK (length(sha256) = 32),
    saved_ms  INTEGER NOT NULL,
    state     TEXT NOT NULL DEFAULT 'ready'
              CHECK (state IN ('ready', 'taken', 'rejected', 'quarantined')),
    doubted   INTEGER NOT NULL DEFAULT 0,   -- the server may have lost it
    tries     INTEGER NOT NULL DEFAULT 0,
    parked_ms INTEGER,                      -- since when, by the server's clock
    epoch     BLOB,                         -- the time line in which it was taken,
    stream    TEXT,                         -- into which stream; none once that lost the record,
    seq       INTEGER,                      -- as which number
    receipt   INTEGER,                      -- the number of its receipt
    taken_ms  INTEGER,                      -- when, by the phone's lifetime
    code      TEXT,                         -- why it was not taken, or not yet
    why       TEXT
) STRICT;
CREATE INDEX op_lane ON op (entity, n);
CREATE INDEX op_prev ON op (prev);
CREATE INDEX op_ready ON op (account, n) WHERE state = 'ready';
CREATE INDEX op_doubted ON op (account, n) WHERE doubted = 1;
CREATE INDEX op_refused ON op (account) WHERE code IS NOT NULL;

-- Ops on other entities that must come first.
CREATE TABLE need (
    op   BLOB NOT NULL,
    need BLOB NOT NULL,
    PRIMARY KEY (op, need)
) STRICT, WITHOUT ROWID;
CREATE INDEX need_need ON need (need);

-- What the server said, at its highest revision, as the text that came.
CREATE TABLE base (
    entity    BLOB PRIMARY KEY CHECK (length(entity) = 16),
    kind      TEXT NOT NULL,
    epoch     BLOB NOT NULL,
    rev       INTEGER NOT NULL,
    conflicts INTEGER NOT NULL,             -- fields written twice
    state     TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX base_kind ON base (kind);
CREATE INDEX base_conflicts ON base (entity) WHERE conflicts > 0;

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

-- The streams followed, and the receipts of each account.
CREATE TABLE stream (
    key       TEXT PRIMARY KEY,
    epoch     BLOB,                         -- the cursor
    seq       INTEGER NOT NULL DEFAULT 0,
    tag       INTEGER NOT NULL DEFAULT 0,
    round     INTEGER NOT NULL DEFAULT 0,
    resetting INTEGER NOT NULL DEFAULT 0,
    reread_ms INTEGER                       -- last read again for a difference, by the server's clock
) STRICT, WITHOUT ROWID;

-- Sealed runs of fixes, named (patrol, run, ordinal) for ever.
CREATE TABLE chunk (
    n         INTEGER PRIMARY KEY,
    account   INTEGER NOT NULL,
    patrol    BLOB NOT NULL CHECK (length(patrol) = 16),
    run       BLOB NOT NULL CHECK (length(run) = 8),
    first     INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    body      BLOB NOT NULL,
    saved_ms  INTEGER NOT NULL,
    state     TEXT NOT NULL DEFAULT 'ready'
              CHECK (state IN ('ready', 'taken', 'rejected', 'quarantined')),
    doubted   INTEGER NOT NULL DEFAULT 0,
    tries     INTEGER NOT NULL DEFAULT 0,
    parked_ms INTEGER,
    receipt   INTEGER,
    taken_ms  INTEGER,
    code      TEXT,
    why       TEXT,
    UNIQUE (patrol, run, first)
) STRICT;
CREATE INDEX chunk_ready ON chunk (account, n) WHERE state = 'ready';

-- Attachments of each account; their bytes are files, one for each content.
CREATE TABLE blob (
    n         INTEGER PRIMARY KEY,
    account   INTEGER NOT NULL,
    sha256    BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes     INTEGER NOT NULL,
    mime      TEXT NOT NULL,
    saved_ms  INTEGER NOT NULL,
    state     TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'taken')),
    doubted   INTEGER NOT NULL DEFAULT 0,
    tries     INTEGER NOT NULL DEFAULT 0,
    parked_ms INTEGER,
    upload    TEXT,                         -- the path of the upload begun
    receipt   INTEGER,
    taken_ms  INTEGER,
    code      TEXT,
    why       TEXT,
    UNIQUE (account, sha256)
) STRICT;
CREATE INDEX blob_content ON blob (sha256);

-- Which record shows which attachment.
CREATE TABLE attachment (
    account INTEGER NOT NULL,
    entity  BLOB NOT NULL CHECK (length(entity) = 16),
    sha256  BLOB NOT NULL CHECK (length(sha256) = 32),
    PRIMARY KEY (entity, sha256, account)
) STRICT, WITHOUT ROWID;
CREATE INDEX attachment_content ON attachment (sha256);

-- Files that no row names any more and that are still to be removed.
CREATE TABLE unwanted (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32)
) STRICT, WITHOUT ROWID;
";

const SECOND: &str = "
-- The incidents that are shown, as lists and searches read them. Made from the
-- other tables: whoever opens the file makes it anew where it may differ.
CREATE TABLE found (
    found_ms INTEGER NOT NULL,
    entity   BLOB NOT NULL CHECK (length(entity) = 16),
    status   TEXT NOT NULL,
    category TEXT NOT NULL,
    lat      REAL,                          -- where, where that is known
    lon      REAL,
    text     TEXT NOT NULL,                 -- folded
    PRIMARY KEY (found_ms, entity)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX found_entity ON found (entity);

-- Records of which the index may be wrong. Empty between transactions.
CREATE TABLE stale (
    entity BLOB PRIMARY KEY CHECK (length(entity) = 16)
) STRICT, WITHOUT ROWID;

-- What is stale is out of the index at once.
CREATE TRIGGER stale_insert AFTER INSERT ON stale BEGIN
    DELETE FROM found WHERE entity = NEW.entity;
END;

CREATE TRIGGER base_insert AFTER INSERT ON base BEGIN
    INSERT INTO stale VALUES (NEW.entity) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER base_update AFTER UPDATE ON base BEGIN
    INSERT INTO stale VALUES (NEW.entity) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER base_delete AFTER DELETE ON base BEGIN
    INSERT INTO stale VALUES (OLD.entity) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER op_insert AFTER INSERT ON op BEGIN
    INSERT INTO stale VALUES (NEW.entity) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER op_update AFTER UPDATE OF account, home, state, stream ON op BEGIN
    INSERT INTO stale VALUES (NEW.entity) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER op_delete AFTER DELETE ON op BEGIN
    INSERT INTO stale VALUES (OLD.entity) ON CONFLICT DO NOTHING;
END;

-- A home that is followed, or is no more.
CREATE TRIGGER stream_insert AFTER INSERT ON stream BEGIN
    INSERT INTO stale SELECT entity FROM op WHERE home = NEW.key ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER stream_delete AFTER DELETE ON stream BEGIN
    INSERT INTO stale SELECT entity FROM op WHERE home = OLD.key ON CONFLICT DO NOTHING;
END;

-- Somebody else uses the phone: of nobody else anything is found.
CREATE TRIGGER account_insert AFTER INSERT ON account BEGIN
    INSERT INTO stale SELECT entity FROM base WHERE true ON CONFLICT DO NOTHING;
    INSERT INTO stale SELECT entity FROM op WHERE true ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER account_update AFTER UPDATE OF leaving ON account BEGIN
    INSERT INTO stale SELECT entity FROM base WHERE true ON CONFLICT DO NOTHING;
    INSERT INTO stale SELECT entity FROM op WHERE true ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER account_delete AFTER DELETE ON account BEGIN
    INSERT INTO stale SELECT entity FROM base WHERE true ON CONFLICT DO NOTHING;
    INSERT INTO stale SELECT entity FROM op WHERE true ON CONFLICT DO NOTHING;
END;
";

const THIRD: &str = "
-- Reports that are not made yet, of each worker who uses this phone or did.
CREATE TABLE draft (
    id       BLOB PRIMARY KEY CHECK (length(id) = 16),
    worker   BLOB NOT NULL CHECK (length(worker) = 16),
    saved_ms INTEGER NOT NULL,
    body     TEXT NOT NULL                  -- JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_worker ON draft (worker);

-- Their photos, whose bytes are files as attachments are.
CREATE TABLE draft_photo (
    draft  BLOB NOT NULL CHECK (length(draft) = 16),
    n      INTEGER NOT NULL,
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    bytes  INTEGER NOT NULL,
    PRIMARY KEY (draft, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX draft_photo_content ON draft_photo (sha256);
-- Of a thumbnail: the picture that it is of. It is sent before what is large.
ALTER TABLE blob ADD COLUMN thumb_of BLOB CHECK (thumb_of IS NULL OR length(thumb_of) = 32);

-- Attachments that came from the server, or are coming: a cache. What this phone
-- itself sends or keeps is in `blob`.
CREATE TABLE fetched (
    sha256 BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    bytes  INTEGER NOT NULL,
    whole  INTEGER NOT NULL DEFAULT 0,
    used   INTEGER NOT NULL                 -- the higher, the later it was wanted
) STRICT, WITHOUT ROWID;

-- The records that showed it when it was asked for. It goes with the last one.
CREATE TABLE fetched_for (
    sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
    entity BLOB NOT NULL CHECK (length(entity) = 16),
    PRIMARY KEY (sha256, entity)
) STRICT, WITHOUT ROWID;
CREATE INDEX fetched_for_entity ON fetched_for (entity);

CREATE TRIGGER base_gone AFTER DELETE ON base BEGIN
    DELETE FROM fetched_for WHERE entity = OLD.entity;
END;
CREATE TRIGGER fetched_for_gone AFTER DELETE ON fetched_for
WHEN NOT EXISTS (SELECT 1 FROM fetched_for WHERE sha256 = OLD.sha256) BEGIN
    DELETE FROM fetched WHERE sha256 = OLD.sha256;
END;
CREATE TRIGGER fetched_gone AFTER DELETE ON fetched
WHEN NOT EXISTS (SELECT 1 FROM blob WHERE sha256 = OLD.sha256) BEGIN
    INSERT INTO unwanted VALUES (OLD.sha256) ON CONFLICT DO NOTHING;
END;
";

/// The newest version that this build knows.
pub(crate) const VERSION: u32 = 3;

pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(FIRST), M::up(SECOND), M::up(THIRD)])
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_migrations_run() {
        assert_eq!(super::migrations().validate(), Ok(()));
    }
}
