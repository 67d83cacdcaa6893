-- The catalog. Keys are stored as bytes, so that their order is byte order, as S3 lists them.
-- Each script is one transaction and ends by naming the version that it leaves behind.
BEGIN IMMEDIATE;

CREATE TABLE buckets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
);

-- What only a read of the object itself needs, away from the rows that a listing walks over.
-- `bytes` is the content of a small object; NULL means that the content stands in `segments`.
-- AUTOINCREMENT: an id never comes back, so a reader holding a stale one finds nothing, never another's bytes.
CREATE TABLE contents (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    headers     TEXT,
    parts_count INTEGER,
    bytes       BLOB
);

CREATE TABLE objects (
    bucket_id          INTEGER NOT NULL,
    key                BLOB    NOT NULL,
    size               INTEGER NOT NULL,
    etag               TEXT    NOT NULL,
    modified_ms        INTEGER NOT NULL,
    storage_class      TEXT,
    checksum_algorithm TEXT,
    checksum_value     TEXT,
    checksum_type      TEXT,
    content_id         INTEGER NOT NULL,
    PRIMARY KEY (bucket_id, key)
) WITHOUT ROWID;

-- A blob is live while any row names it: copies of an object name the same blobs.
CREATE TABLE segments (
    content_id INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    blob_id    TEXT    NOT NULL,
    size       INTEGER NOT NULL,
    PRIMARY KEY (content_id, number)
) WITHOUT ROWID;

CREATE INDEX segments_by_blob ON segments (blob_id);

-- Contents of several segments that no object has any more, but that may still be read by somebody.
-- Their rows go after their files, so that no file is taken for nobody's while it is read.
CREATE TABLE doomed (
    content_id INTEGER PRIMARY KEY
);

CREATE TABLE uploads (
    id                 TEXT    NOT NULL PRIMARY KEY,
    bucket_id          INTEGER NOT NULL,
    key                BLOB    NOT NULL,
    created_ms         INTEGER NOT NULL,
    headers            TEXT,
    checksum_algorithm TEXT,
    checksum_type      TEXT
) WITHOUT ROWID;

CREATE UNIQUE INDEX uploads_by_key ON uploads (bucket_id, key, id);

CREATE TABLE parts (
    upload_id          TEXT    NOT NULL,
    number             INTEGER NOT NULL,
    size               INTEGER NOT NULL,
    etag               TEXT    NOT NULL,
    modified_ms        INTEGER NOT NULL,
    checksum_algorithm TEXT,
    checksum_value     TEXT,
    checksum_type      TEXT,
    blob_id            TEXT    NOT NULL,
    PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;

CREATE INDEX parts_by_blob ON parts (blob_id);

PRAGMA user_version = 1;

COMMIT;
