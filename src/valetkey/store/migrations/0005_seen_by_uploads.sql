-- What an upload found under its key when it began.
BEGIN IMMEDIATE;

-- The rank of the current version, 0 if there was none. NULL: it began before this was kept.
ALTER TABLE uploads ADD COLUMN seen_rank INTEGER;

PRAGMA user_version = 5;

COMMIT;
