-- What accounts block of public access to their buckets.
BEGIN IMMEDIATE;

-- A document that the store does not read. NULL: the account blocks nothing.
ALTER TABLE accounts ADD COLUMN public_access_block TEXT;

PRAGMA user_version = 8;

COMMIT;
