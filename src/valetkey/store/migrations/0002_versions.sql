-- Versions, owners, settings, tags, locks, encryption; and contents that share pieces of blobs.
BEGIN IMMEDIATE;

-- NULL: the root account's, from before there were others.
ALTER TABLE buckets ADD COLUMN owner_id TEXT;
ALTER TABLE buckets ADD COLUMN versioning TEXT;
ALTER TABLE buckets ADD COLUMN is_lockable INTEGER NOT NULL DEFAULT 0;

CREATE TABLE bucket_settings (
    bucket_id INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    document  TEXT    NOT NULL,
    PRIMARY KEY (bucket_id, name)
) WITHOUT ROWID;

ALTER TABLE contents ADD COLUMN tags TEXT;
ALTER TABLE contents ADD COLUMN lock_mode TEXT;
ALTER TABLE contents ADD COLUMN lock_until_ms INTEGER;
ALTER TABLE contents ADD COLUMN legal_hold INTEGER;
ALTER TABLE contents ADD COLUMN encryption TEXT;
-- Of encrypted `bytes`: their key, under another key.
ALTER TABLE contents ADD COLUMN seal BLOB;

-- A segment is a stretch of a blob, so that a copy may share the middle of one. `seal` is the blob's key.
ALTER TABLE segments ADD COLUMN start INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segments ADD COLUMN seal BLOB;

-- The parts that an object was uploaded in, for whoever reads it part by part.
CREATE TABLE content_parts (
    content_id     INTEGER NOT NULL,
    number         INTEGER NOT NULL,
    start          INTEGER NOT NULL,
    size           INTEGER NOT NULL,
    checksum_value TEXT,
    PRIMARY KEY (content_id, number)
) WITHOUT ROWID;

INSERT INTO content_parts (content_id, number, start, size)
    SELECT segments.content_id, segments.number,
           sum(segments.size) OVER (PARTITION BY segments.content_id ORDER BY segments.number) - segments.size,
           segments.size
    FROM segments JOIN contents ON contents.id = segments.content_id
    WHERE contents.parts_count IS NOT NULL;

-- `objects` holds the current version of each key, unless that is a delete marker. A rank falls from version to
-- version of a key, so that the newest comes first.
ALTER TABLE objects ADD COLUMN version_id TEXT;
ALTER TABLE objects ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;

-- All other versions, and all delete markers. Where a key has none in `objects`, its first one here is a marker.
-- `content_id` is NULL for a marker, `version_id` for the null version.
CREATE TABLE versions (
    bucket_id          INTEGER NOT NULL,
    key                BLOB    NOT NULL,
    rank               INTEGER NOT NULL,
    version_id         TEXT,
    size               INTEGER NOT NULL,
    etag               TEXT    NOT NULL,
    modified_ms        INTEGER NOT NULL,
    storage_class      TEXT,
    checksum_algorithm TEXT,
    checksum_value     TEXT,
    checksum_type      TEXT,
    content_id         INTEGER,
    PRIMARY KEY (bucket_id, key, rank)
) WITHOUT ROWID;

CREATE INDEX versions_by_id ON versions (bucket_id, key, version_id);

ALTER TABLE uploads ADD COLUMN tags TEXT;
ALTER TABLE uploads ADD COLUMN lock_mode TEXT;
ALTER TABLE uploads ADD COLUMN lock_until_ms INTEGER;
ALTER TABLE uploads ADD COLUMN legal_hold INTEGER;
ALTER TABLE uploads ADD COLUMN encryption TEXT;
ALTER TABLE uploads ADD COLUMN seal BLOB;

-- A part's bytes stand in `segments`, like those of an object: it may be copied out of the middle of blobs.
ALTER TABLE parts RENAME TO former_parts;
DROP INDEX parts_by_blob;

CREATE TABLE parts (
    upload_id          TEXT    NOT NULL,
    number             INTEGER NOT NULL,
    size               INTEGER NOT NULL,
    etag               TEXT    NOT NULL,
    modified_ms        INTEGER NOT NULL,
    checksum_algorithm TEXT,
    checksum_value     TEXT,
    checksum_type      TEXT,
    content_id         INTEGER NOT NULL,
    PRIMARY KEY (upload_id, number)
) WITHOUT ROWID;

INSERT INTO parts
    SELECT upload_id, number, size, etag, modified_ms, checksum_algorithm, checksum_value, checksum_type,
           row_number() OVER (ORDER BY upload_id, number)
           + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'contents'), 0)
    FROM former_parts;
INSERT INTO contents (id) SELECT content_id FROM parts ORDER BY content_id;
INSERT INTO segments (content_id, number, blob_id, size)
    SELECT parts.content_id, 1, former_parts.blob_id, former_parts.size
    FROM parts JOIN former_parts USING (upload_id, number);

DROP TABLE former_parts;

-- Uploads that became objects, for clients that did not hear of it and complete them again.
CREATE TABLE completed_uploads (
    id                 TEXT    NOT NULL PRIMARY KEY,
    bucket_id          INTEGER NOT NULL,
    key                BLOB    NOT NULL,
    completed_ms       INTEGER NOT NULL,
    etag               TEXT    NOT NULL,
    version_id         TEXT,
    checksum_algorithm TEXT,
    checksum_value     TEXT,
    checksum_type      TEXT
) WITHOUT ROWID;

CREATE INDEX completed_uploads_by_time ON completed_uploads (completed_ms);

PRAGMA user_version = 2;

COMMIT;
