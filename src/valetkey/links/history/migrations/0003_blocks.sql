BEGIN IMMEDIATE;

-- Attempts that came fast, packed together: only such as were not refused, and that began within a second. They have
-- the ids up to last_id, without a gap, in the order of their instants.
CREATE TABLE blocks (
    last_id INTEGER PRIMARY KEY,
    from_ms INTEGER NOT NULL,    -- of the first
    until_ms INTEGER NOT NULL,   -- of the last
    number INTEGER NOT NULL,     -- of attempts
    circumstances TEXT NOT NULL, -- JSON: what they have alike, each once
    signers TEXT NOT NULL,       -- JSON: each once
    numbers BLOB NOT NULL,       -- column by column, little-endian
    keys TEXT NOT NULL,          -- JSON
    request_ids TEXT NOT NULL    -- with a space between
);
CREATE INDEX blocks_by_time ON blocks (until_ms, from_ms);

-- Who and what is found in a block: the number of a party, or the CRC-32 of a signer or a bucket.
CREATE TABLE block_members (
    kind INTEGER NOT NULL,
    value INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (kind, value, until_ms, block)
) WITHOUT ROWID;

-- Both kinds share their ids, which are given here.
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'attempts', 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'attempts');

PRAGMA user_version = 3;
COMMIT;
