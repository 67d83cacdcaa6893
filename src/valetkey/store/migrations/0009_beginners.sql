-- What began an upload, beside whose it is.
BEGIN IMMEDIATE;

-- A link's id; the store does not read it. NULL: whoever began it did so by themselves, and ends it as they like.
ALTER TABLE uploads ADD COLUMN begun_by TEXT;

CREATE INDEX uploads_by_beginner ON uploads (begun_by, created_ms) WHERE begun_by IS NOT NULL;

PRAGMA user_version = 9;

COMMIT;
