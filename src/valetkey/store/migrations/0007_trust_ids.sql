-- Whom trust policies mean by the names in them.
BEGIN IMMEDIATE;

-- JSON: the unique id of each user and role that the trust policy names, by its ARN there. NULL: it names none, or was
-- put before ids were kept, and means whoever has the name.
ALTER TABLE entities ADD COLUMN trust_ids TEXT;

PRAGMA user_version = 7;

COMMIT;
