-- The ledger of links. Each script is one transaction and ends by naming the version that it leaves behind.
BEGIN IMMEDIATE;

-- `number` is the order in which links were made. What a link may do stands in `grant_text`; beside it, what is
-- looked for or counted.
CREATE TABLE links (
    number         INTEGER PRIMARY KEY AUTOINCREMENT,
    id             TEXT    NOT NULL UNIQUE,
    account_id     TEXT    NOT NULL,
    access_key     TEXT    NOT NULL,
    user_id        TEXT,
    bucket         TEXT    NOT NULL,
    key            TEXT    NOT NULL,
    label          TEXT    NOT NULL,
    grant_text     TEXT    NOT NULL,
    created_ms     INTEGER NOT NULL,
    ends_ms        INTEGER NOT NULL,
    state          TEXT    NOT NULL,
    max_uses       INTEGER,
    max_bytes      INTEGER,
    max_objects    INTEGER,
    uses           INTEGER NOT NULL DEFAULT 0,
    bytes_sent     INTEGER NOT NULL DEFAULT 0,
    bytes_received INTEGER NOT NULL DEFAULT 0,
    objects        INTEGER NOT NULL DEFAULT 0,
    last_used_ms   INTEGER
);

CREATE INDEX links_of_accounts ON links (account_id, number);
CREATE INDEX links_of_users ON links (account_id, user_id, number);
CREATE INDEX links_by_place ON links (account_id, bucket, key, number);
CREATE INDEX links_of_buckets ON links (account_id, bucket, number);
CREATE INDEX links_by_label ON links (account_id, label, number);

CREATE TABLE link_tags (
    account_id TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    PRIMARY KEY (account_id, name, value, number)
) WITHOUT ROWID;

CREATE INDEX link_tags_by_link ON link_tags (number);

-- A client that has spent a use on an object, and may go on with it.
CREATE TABLE resumptions (
    number   INTEGER NOT NULL,
    client   BLOB    NOT NULL,
    key      TEXT    NOT NULL,
    etag     TEXT    NOT NULL,
    began_ms INTEGER NOT NULL,
    sent     INTEGER NOT NULL,
    PRIMARY KEY (number, client, key)
) WITHOUT ROWID;

CREATE INDEX resumptions_by_age ON resumptions (began_ms);

-- Ordinary presigned URLs that were taken back: one by its signature, or all of a key, bucket or prefix that were
-- signed before an instant.
CREATE TABLE revoked_signatures (
    hash       BLOB    NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL,
    created_ms INTEGER NOT NULL,
    ends_ms    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE cutoffs (
    id         TEXT    NOT NULL PRIMARY KEY,
    account_id TEXT    NOT NULL,
    access_key TEXT,
    bucket     TEXT,
    key        TEXT,
    is_prefix  INTEGER NOT NULL,
    before_ms  INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) WITHOUT ROWID;

PRAGMA user_version = 1;
COMMIT;
